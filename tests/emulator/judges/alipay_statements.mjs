// Judges Alipay's daily statement against what this judge itself has paid and refunded on that day.

import assert from 'node:assert/strict';
import { eventually } from './emulator.mjs';
import { Client, refused } from './alipay_client.mjs';
import { unzip } from './zip.mjs';

export const open = ({ emulator }) => ({ client: new Client(emulator), kept: {} });

const fen = (yuan) => {
  assert.match(yuan, /^-?\d+\.\d{2}$/, `not yuan: ${yuan}`);
  return Math.round(Number(yuan) * 100);
};
const asked = (client, day) => client.call('alipay.data.dataservice.bill.downloadurl.query', { bill_type: 'trade', bill_date: day });

async function downloaded(client, day) {
  const { bill_download_url: url } = await client.good(asked(client, day));
  return Buffer.from(await (await fetch(url)).arrayBuffer());
}

// The parts of 业务明细: comments, columns, rows by column, and the two totals of the footer.
function read(files) {
  const names = files.map((file) => new TextDecoder('gbk', { fatal: true }).decode(file.name));
  const at = names.findIndex((name) => name.includes('业务明细') && !name.includes('汇总'));
  assert.ok(at >= 0, `no 业务明细 among ${names}`);
  const lines = new TextDecoder('gbk', { fatal: true }).decode(files[at].content).split('\r\n').filter(Boolean);
  const comments = lines.filter((line) => line.startsWith('#'));
  const [head, ...bodies] = lines.filter((line) => !line.startsWith('#'));
  const columns = head.split(',');
  const rows = bodies.map((line) => {
    const cells = line.split(',');
    assert.equal(cells.length, columns.length);
    assert.ok(cells.every((cell) => cell.endsWith('\t')), `a cell does not end in a tab: ${line}`);
    return Object.fromEntries(cells.map((cell, index) => [columns[index], cell.trim()]));
  });
  const footer = (word) => {
    const found = comments.map((line) => line.match(new RegExp(`^#${word}合计：(\\d+)笔，商家实收(?:退款)?共(-?\\d+\\.\\d\\d)元`))).find(Boolean);
    assert.ok(found, `no footer for ${word}: ${comments}`);
    return [Number(found[1]), fen(found[2])];
  };
  return { names, columns, rows, comments, footers: { 交易: footer('交易'), 退款: footer('退款') } };
}

const of_kind = (rows, kind) => rows.filter((row) => row['业务类型'] === kind);
const sum = (rows, column) => rows.reduce((total, row) => total + fen(row[column]), 0);
const adds_up = ({ rows, footers }) => Object.entries(footers).every(([kind, [count, total]]) => (
  of_kind(rows, kind).length === count && sum(of_kind(rows, kind), '商家实收（元）') === total));

export const checks = {
  async a_statement_holds_the_days_rows_and_no_others({ client, emulator, number, kept }) {
    const day = (await emulator.clock({ next_day_at_hour: 1 })).slice(0, 10);
    const orders = [];
    const pay = async (total) => orders.push(await client.paid(number(), { total }));
    await pay('0.01');
    await emulator.clock({ to: `${day}T12:00:00+08:00` });
    await pay('123.45');
    await pay('5.00');
    const part = number();
    await emulator.clock({ advance_s: 1 });
    await client.good(client.refund(orders[1].out_trade_no, part, '3.45'));
    await emulator.clock({ advance_s: 1 });
    await emulator.tell('console_refund', { provider: 'alipay', order: orders[2].out_trade_no, amount: 500 });
    await emulator.clock({ to: `${day}T23:59:50+08:00` });
    await pay('0.20');
    await emulator.clock({ next_day_at_hour: 0 });
    await client.paid(number());
    await refused(asked(client, day), '40004', 'isp.bill_not_exist');
    await emulator.clock({ advance_s: 11 * 3600 });
    const files = unzip(await downloaded(client, day));
    const statement = read(files);
    assert.deepEqual(of_kind(statement.rows, '交易').map((row) => [row['支付宝交易号'], row['商户订单号'], row['订单金额（元）']]),
      orders.map((order) => [order.trade_no, order.out_trade_no, order.total_amount]));
    assert.deepEqual(of_kind(statement.rows, '退款').map((row) => [row['商户订单号'], row['商家实收（元）']]),
      [[orders[1].out_trade_no, '-3.45'], [orders[2].out_trade_no, '-5.00']]);
    assert.equal(of_kind(statement.rows, '退款')[0]['退款批次号/请求号'], part);
    assert.ok(adds_up(statement), JSON.stringify(statement.footers));
    Object.assign(kept, { day, files, ...statement });
  },

  async its_form_is_alipays({ kept }) {
    assert.equal(kept.files.length, 2);
    assert.ok(kept.files.every((file) => !file.marked_utf8), 'a name is marked as UTF-8');
    assert.ok(kept.names.some((name) => name.includes('汇总')));
    assert.equal(kept.columns.length, 25);
    assert.deepEqual([kept.columns[0], kept.columns[11], kept.columns[24]], ['支付宝交易号', '订单金额（元）', '备注']);
    assert.ok(kept.comments[0].startsWith('#支付宝业务明细'));
  },

  async it_agrees_with_the_days_totals({ emulator, kept }) {
    const totals = await emulator.totals('alipay', kept.day);
    const [paid, back] = [of_kind(kept.rows, '交易'), of_kind(kept.rows, '退款')];
    assert.deepEqual(
      [totals.captured_count, totals.captured, totals.refunded_count, totals.refunded, totals.fees],
      [paid.length, sum(paid, '商家实收（元）'), back.length, -sum(back, '商家实收（元）'), -sum(kept.rows, '服务费（元）')]);
    assert.equal(totals.net, totals.captured - totals.refunded - totals.fees);
  },

  async rows_go_missing_come_in_and_change({ client, emulator, kept }) {
    const ids = (rows) => rows.map((row) => `${row['支付宝交易号']} ${row['商户订单号']} ${row['退款批次号/请求号']}`);
    const right = new Set(ids(kept.rows));
    const under = (fault) => emulator.under({ [fault]: { times: 1 } }, async () => read(unzip(await downloaded(client, kept.day))));
    const missing = await under('statement_missing_row');
    assert.equal(missing.rows.length, kept.rows.length - 1);
    assert.ok(ids(missing.rows).every((id) => right.has(id)) && adds_up(missing));
    const extra = await under('statement_extra_row');
    assert.equal(ids(extra.rows).filter((id) => !right.has(id)).length, 1);
    const altered = await under('statement_altered_row');
    assert.equal(sum(altered.rows, '商家实收（元）'), sum(kept.rows, '商家实收（元）') + 1);
    const foreign = await under('statement_foreign_row');
    assert.equal(foreign.rows.filter((row) => row['备注'].includes('seller_id=')).length, 1);
    assert.ok(!adds_up(await under('statement_wrong_total')));
  },

  async archives_bomb_climb_and_tear({ client, emulator, kept }) {
    const under = (fault) => emulator.under({ [fault]: { times: 1 } }, () => downloaded(client, kept.day));
    const bomb = await under('statement_bomb');
    assert.ok(bomb.length < 1 << 20, `${bomb.length} bytes`);
    assert.throws(() => unzip(bomb, 64 << 20), { code: 'ERR_BUFFER_TOO_LARGE' });
    assert.ok(unzip(await under('statement_slip')).every((file) => file.name.toString('latin1').startsWith('../')));
    await assert.rejects(under('statement_torn'));
    await eventually('the next one is right', async () => adds_up(read(unzip(await downloaded(client, kept.day)))));
  },

  async a_day_without_a_statement_says_so({ client, emulator }) {
    const { now } = await emulator.ask('clock');
    await refused(asked(client, now.slice(0, 10)), '40004', 'isp.bill_not_exist');
    await refused(asked(client, '2020-13-01'), '40004', 'isv.invalid-parameter');
  },
};

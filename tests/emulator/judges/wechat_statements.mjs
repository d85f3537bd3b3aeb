// Judges WeChat's daily statement against what this judge itself has paid and refunded on that day.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { eventually } from './emulator.mjs';
import { Formatter } from './libraries.mjs';
import { Client, refused } from './wechat_client.mjs';

export const open = ({ emulator }) => ({ client: new Client(emulator), kept: {} });

const fen = (yuan) => {
  assert.match(yuan, /^-?\d+\.\d{2}(000)?$/, `not yuan: ${yuan}`);
  return Math.round(Number(yuan) * 100);
};
const day_of = (moment) => moment.slice(0, 10);

async function fetched(client, day, more = { tar_type: 'GZIP' }) {
  const { data } = await client.get('v3/bill/tradebill', { bill_date: day, bill_type: 'ALL', ...more });
  const url = new URL(data.download_url);
  const { data: bytes, headers } = await client.get(url.pathname.slice(1), Object.fromEntries(url.searchParams), { responseType: 'arraybuffer' });
  assert.equal(headers['wechatpay-signature'], undefined, 'a download carries no signature');
  return { bytes: Buffer.from(bytes), hash: data.hash_value, kind: data.hash_type };
}

async function statement(client, day) {
  const { bytes, hash, kind } = await fetched(client, day);
  const file = gunzipSync(bytes, { maxOutputLength: 16 << 20 });
  return { file, ...Formatter.castCsvBill(file), right_hash: kind === 'SHA1' && createHash('sha1').update(file).digest('hex') === hash };
}

const paid_of = (rows) => rows.filter((row) => row['交易状态'] === 'SUCCESS');
const back_of = (rows) => rows.filter((row) => row['交易状态'] !== 'SUCCESS');
const sum = (rows, column) => rows.reduce((total, row) => total + fen(row[column]), 0);
const adds_up = ({ rows, summary }) => sum(rows, '应结订单金额') === fen(summary['应结订单总金额'])
  && sum(rows, '退款金额') === fen(summary['退款总金额']) && rows.length === Number(summary['总交易单数']);

export const checks = {
  async a_statement_holds_the_days_rows_and_no_others({ client, emulator, number, kept }) {
    const day = day_of(await emulator.clock({ next_day_at_hour: 1 }));
    const orders = [];
    const pay = async (total) => orders.push(await client.paid(number(), { total }));
    await pay(1);
    await emulator.clock({ to: `${day}T12:00:00+08:00` });
    await pay(12345);
    await pay(500);
    const refund = number();
    await client.refund(orders[1], refund, 345);
    await emulator.clock({ to: `${day}T12:01:00+08:00` });
    await eventually('the refund is done', async () => (await client.query_refund(refund)).status === 'SUCCESS');
    await emulator.tell('console_refund', { provider: 'wechat', order: orders[2].out_trade_no, amount: 500 });
    await emulator.clock({ to: `${day}T23:59:50+08:00` });
    await pay(20);
    await emulator.clock({ next_day_at_hour: 0 });
    await client.paid(number(), { total: 999 });
    await refused(client, fetched(client, day), 400, 'STATEMENT_CREATING');
    await emulator.clock({ advance_s: 11 * 3600 });
    const { rows, summary, file, right_hash: right } = await statement(client, day);
    assert.deepEqual(
      paid_of(rows).map((row) => [row['微信订单号'], row['商户订单号'], fen(row['应结订单金额'])]),
      orders.map((order) => [order.transaction_id, order.out_trade_no, order.amount.total]));
    assert.deepEqual(back_of(rows).map((row) => [row['商户订单号'], fen(row['退款金额'])]),
      [[orders[1].out_trade_no, 345], [orders[2].out_trade_no, 500]]);
    assert.equal(back_of(rows)[0]['商户退款单号'], refund);
    assert.ok(right, 'the hash is not that of the file');
    assert.ok(adds_up({ rows, summary }), JSON.stringify(summary));
    Object.assign(kept, { day, file, rows });
  },

  async its_form_is_that_of_the_published_sample({ kept }) {
    const text = kept.file.toString();
    assert.ok(text.startsWith('\ufeff交易时间,'), 'no BOM');
    const lines = text.split('\r\n');
    assert.equal(lines.pop(), '');
    const bodies = lines.slice(1, -2);
    assert.equal(lines[0].split(',').length, 27);
    for (const line of bodies) assert.match(line, /^`[^,`]*(,`[^,`]*){26}$/);
    assert.match(lines.at(-1), /^`\d+(,`-?\d+\.\d+){6}$/);
    for (const row of kept.rows) assert.match(row['手续费'], /^-?\d+\.\d{5}$/);
  },

  async it_agrees_with_the_days_totals({ emulator, kept }) {
    const totals = await emulator.totals('wechat', kept.day);
    assert.deepEqual(
      [totals.captured_count, totals.captured, totals.refunded_count, totals.refunded, totals.fees],
      [paid_of(kept.rows).length, sum(kept.rows, '应结订单金额'), back_of(kept.rows).length, sum(kept.rows, '退款金额'), sum(kept.rows, '手续费')]);
    assert.equal(totals.net, totals.captured - totals.refunded - totals.fees);
  },

  async it_can_be_had_unpacked_and_by_kind({ client, kept }) {
    const plain = await fetched(client, kept.day, {});
    assert.deepEqual(plain.bytes, kept.file);
    const refunds = await fetched(client, kept.day, { bill_type: 'REFUND' });
    assert.equal(Formatter.castCsvBill(refunds.bytes).rows.length, 2);
  },

  async a_day_without_a_statement_says_so({ client, emulator, kept }) {
    const today = day_of((await emulator.ask('clock')).now);
    await refused(client, fetched(client, today), 400, 'INVALID_REQUEST');
    await refused(client, fetched(client, '2020-01-01'), 400, 'INVALID_REQUEST');
    await refused(client, fetched(client, '2020-13-01'), 400, 'PARAM_ERROR');
    await emulator.clock({ next_day_at_hour: 11 });
    await emulator.clock({ next_day_at_hour: 11 });
    const empty = day_of(new Date(new Date(`${kept.day}T12:00:00Z`).getTime() + 2 * 86400_000).toISOString());
    await refused(client, fetched(client, empty), 400, 'NO_STATEMENT_EXIST');
  },

  async rows_go_missing_come_in_and_change({ client, emulator, kept }) {
    const ids = (rows) => rows.map((row) => `${row['微信订单号']} ${row['商户订单号']} ${row['商户退款单号']}`);
    const right = new Set(ids(kept.rows));
    const under = (fault) => emulator.under({ [fault]: { times: 1 } }, () => statement(client, kept.day));
    const missing = await under('statement_missing_row');
    assert.equal(missing.rows.length, kept.rows.length - 1);
    assert.ok(ids(missing.rows).every((id) => right.has(id)) && adds_up(missing));
    const extra = await under('statement_extra_row');
    assert.equal(ids(extra.rows).filter((id) => !right.has(id)).length, 1);
    const altered = await under('statement_altered_row');
    assert.deepEqual(ids(altered.rows), ids(kept.rows));
    const net = (rows) => sum(rows, '应结订单金额') - sum(rows, '退款金额');
    assert.equal(net(altered.rows), net(kept.rows) + 1);
    const foreign = await under('statement_foreign_row');
    assert.equal(foreign.rows.filter((row) => row['商户号'] !== client.mchid).length, 1);
    assert.ok(adds_up(extra) && adds_up(foreign));
  },

  async totals_and_hashes_can_be_wrong_and_files_torn({ client, emulator, kept }) {
    const under = (fault) => emulator.under({ [fault]: { times: 1 } }, () => statement(client, kept.day));
    assert.ok(!adds_up(await under('statement_wrong_total')));
    const wrong = await under('statement_wrong_hash');
    assert.ok(!wrong.right_hash && adds_up(wrong));
    await assert.rejects(under('statement_torn'));
  },

  async a_bomb_stays_small_on_the_wire({ client, emulator, kept }) {
    const { bytes } = await emulator.under({ statement_bomb: { times: 1 } }, () => fetched(client, kept.day));
    assert.ok(bytes.length < 1 << 20, `${bytes.length} bytes`);
    assert.throws(() => gunzipSync(bytes, { maxOutputLength: 64 << 20 }), { code: 'ERR_BUFFER_TOO_LARGE' });
  },
};

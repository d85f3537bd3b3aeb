// Judges Alipay's trades: codes and pages, unknown until scanned, paid, closed, cancelled.

import assert from 'node:assert/strict';
import { Client, refused } from './alipay_client.mjs';

export const open = ({ emulator }) => ({ client: new Client(emulator) });

const codes = { paid: '280000000000000000', password: '280000000000000001', poor: '280000000000000002', old: '280000000000000003' };
const pay_by_code = (client, number, code) => client.call('alipay.trade.pay', {
  out_trade_no: number, scene: 'bar_code', auth_code: code, subject: '停车费', total_amount: '5.00' });

export const checks = {
  async an_answer_is_signed_as_it_stands({ client, number }) {
    const order = number();
    const answer = await client.precreate(order);
    assert.equal(answer.out_trade_no, order);
    assert.match(answer.qr_code, /^https:\/\/qr\.alipay\.com\//);
    const page = client.library.pageExecute('alipay.trade.query', 'GET', { biz_content: { out_trade_no: order } });
    const raw = await (await fetch(page, { method: 'POST' })).text();
    assert.match(raw, /^\{"alipay_trade_query_response":\{/);
    // Slashes are escaped: a client that serialises an answer again before checking it must fail.
    const made = await (await fetch(client.library.pageExecute('alipay.trade.precreate', 'GET', {
      biz_content: { out_trade_no: order, total_amount: '10.01', subject: '停车费' } }))).text();
    assert.ok(made.includes('https:\\/\\/qr'), made);
  },

  async a_strangers_signature_is_refused({ emulator, number }) {
    const stranger = new Client(emulator, 'stranger.private.pem');
    await refused(stranger.query(number()), '40002', 'isv.invalid-signature');
    await refused(stranger.call('alipay.trade.precreate', { out_trade_no: number(), total_amount: '1.00', subject: 'x' }), '40002', 'isv.invalid-signature');
  },

  async a_code_is_unknown_until_somebody_scans_it({ client, emulator, number }) {
    const order = number();
    await client.precreate(order);
    await refused(client.query(order), '40004', 'ACQ.TRADE_NOT_EXIST');
    await refused(client.close(order), '40004', 'ACQ.TRADE_NOT_EXIST');
    await emulator.tell('scan', { provider: 'alipay', order });
    assert.equal((await client.query(order)).trade_status, 'WAIT_BUYER_PAY');
    await emulator.pay('alipay', order);
    const paid = await client.query(order);
    assert.deepEqual([paid.trade_status, paid.total_amount, paid.out_trade_no], ['TRADE_SUCCESS', '10.01', order]);
    assert.match(paid.trade_no, /^\d{28}$/);
    assert.match(paid.send_pay_date, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  },

  async the_page_for_a_phones_browser_is_a_trade_too({ client, number }) {
    const order = number();
    const content = { out_trade_no: order, total_amount: '8.80', subject: '停车费', product_code: 'QUICK_WAP_WAY' };
    const page = client.library.pageExecute('alipay.trade.wap.pay', 'GET', { biz_content: content, return_url: 'http://127.0.0.1:9/bill?id=7' });
    const shown = await fetch(page);
    assert.ok((await shown.text()).includes('8.80'));
    await refused(client.query(order), '40004', 'ACQ.TRADE_NOT_EXIST');
    // The button: it pays, and the browser goes back with parameters that are signed and still no evidence.
    const back = await fetch(shown.url, { method: 'POST', redirect: 'manual' });
    assert.equal(back.status, 303);
    const said = Object.fromEntries(new URL(back.headers.get('location')).searchParams);
    delete said.id;
    assert.ok(client.library.checkNotifySignV2(said));
    assert.deepEqual([said.out_trade_no, said.total_amount], [order, '8.80']);
    assert.equal((await fetch(shown.url, { method: 'POST' })).status, 400);
    assert.equal((await client.query(order)).total_amount, '8.80');
    const forged = await (await fetch(page.replace('8.80', '0.01'))).text();
    assert.ok(forged.includes('isv.invalid-signature'), forged);
  },

  async a_number_is_one_trade({ client, number }) {
    const order = number();
    const first = await client.precreate(order);
    assert.deepEqual(await client.precreate(order), first);
    await refused(client.call('alipay.trade.precreate', { out_trade_no: order, total_amount: '9.99', subject: '停车费' }), '40004', 'ACQ.CONTEXT_INCONSISTENT');
    for (const amount of ['0.00', '-1.00', '1.001', '1e2', '0x10', '']) {
      await refused(client.call('alipay.trade.precreate', { out_trade_no: number(), total_amount: amount, subject: 'x' }), '40004', 'ACQ.TOTAL_FEE_EXCEED');
    }
  },

  async a_closed_trade_takes_no_money({ client, emulator, number }) {
    const order = number();
    await client.precreate(order);
    await emulator.tell('scan', { provider: 'alipay', order });
    await client.good(client.close(order));
    assert.equal((await client.query(order)).trade_status, 'TRADE_CLOSED');
    await emulator.refuses_payment('alipay', order);
    await refused(client.close(order), '40004', 'ACQ.REASON_TRADE_STATUS_INVALID');
  },

  async closing_what_nobody_scanned_leaves_the_code_payable({ client, emulator, number }) {
    const order = number();
    await client.precreate(order);
    await refused(client.close(order), '40004', 'ACQ.TRADE_NOT_EXIST');
    await emulator.pay('alipay', order);
    assert.equal((await client.query(order)).trade_status, 'TRADE_SUCCESS');
    await refused(client.close(order), '40004', 'ACQ.REASON_TRADE_STATUS_INVALID');
  },

  async a_code_expires({ client, emulator, number }) {
    const [unseen, seen] = [number(), number()];
    await client.precreate(unseen, { timeout_express: '5m' });
    await client.precreate(seen, { timeout_express: '5m' });
    await emulator.tell('scan', { provider: 'alipay', order: seen });
    await emulator.clock({ advance_s: 301 });
    await emulator.refuses_payment('alipay', unseen);
    await refused(client.query(unseen), '40004', 'ACQ.TRADE_NOT_EXIST');
    await emulator.refuses_payment('alipay', seen);
    assert.equal((await client.query(seen)).trade_status, 'TRADE_CLOSED');
  },

  async money_comes_in_at_the_moment_of_the_close({ client, emulator, number }) {
    const order = number();
    await client.precreate(order);
    await emulator.tell('scan', { provider: 'alipay', order });
    await emulator.under({ pay_during_close: { times: 1 } }, () => refused(client.close(order), '40004', 'ACQ.REASON_TRADE_STATUS_INVALID'));
    assert.equal((await client.query(order)).trade_status, 'TRADE_SUCCESS');
  },

  async a_drivers_code_pays_at_once_or_says_why_not({ client, emulator, number }) {
    const waiting = number();
    const paid = await client.good(pay_by_code(client, number(), codes.paid));
    assert.deepEqual([paid.total_amount, paid.trade_status], ['5.00', undefined]);
    assert.ok(paid.gmt_payment);
    assert.equal((await pay_by_code(client, waiting, codes.password)).code, '10003');
    assert.equal((await client.query(waiting)).trade_status, 'WAIT_BUYER_PAY');
    await emulator.pay('alipay', waiting);
    assert.equal((await client.query(waiting)).trade_status, 'TRADE_SUCCESS');
    await refused(pay_by_code(client, number(), codes.poor), '40004', 'ACQ.BUYER_BALANCE_NOT_ENOUGH');
    await refused(pay_by_code(client, number(), codes.old), '40004', 'ACQ.PAYMENT_AUTH_CODE_INVALID');
  },

  async cancelling_takes_back_whatever_happened({ client, emulator, number }) {
    const [unseen, waiting, paid] = [number(), number(), number()];
    await client.precreate(unseen);
    assert.equal((await client.good(client.cancel(unseen))).action, undefined);
    await emulator.refuses_payment('alipay', unseen);
    await pay_by_code(client, waiting, codes.password);
    assert.equal((await client.good(client.cancel(waiting))).action, 'close');
    await emulator.refuses_payment('alipay', waiting);
    await pay_by_code(client, paid, codes.paid);
    const before = (await emulator.totals('alipay')).refunded;
    assert.equal((await client.good(client.cancel(paid))).action, 'refund');
    await client.good(client.cancel(paid));
    assert.equal((await emulator.totals('alipay')).refunded, before + 500);
    assert.equal((await client.query(paid)).trade_status, 'TRADE_CLOSED');
  },

  async under_the_whole_menu_no_fen_goes_astray({ client, emulator, number }) {
    const before = await emulator.totals('alipay');
    const { menu } = await emulator.ask('faults');
    const orders = Array.from({ length: 40 }, number);
    await emulator.under(Object.fromEntries(Object.keys(menu).map((name) => [name, { chance: 0.2, seconds: 0 }])), () => Promise.all(orders.map(async (order) => {
      // Whatever comes back: only what a query says afterwards counts.
      await client.precreate(order).catch(() => {});
      await emulator.attempt('pay', { provider: 'alipay', order });
      await client.close(order).catch(() => {});
      await client.refund(order, order, '0.33').catch(() => {});
    })));
    const [captured, refunded] = [[], []];
    for (const order of orders) {
      const { trade_status: status } = await client.query(order);
      if (status === 'TRADE_SUCCESS') captured.push(order);
      if ((await client.query_refund(order, order)).refund_status === 'REFUND_SUCCESS') refunded.push(order);
    }
    const after = await emulator.totals('alipay');
    assert.ok(captured.length > 5 && refunded.length > 0, `${captured.length} ${refunded.length}`);
    assert.deepEqual([after.captured - before.captured, after.refunded - before.refunded], [captured.length * 1001, refunded.length * 33]);
  },

  async answers_get_lost_and_forged({ client, emulator, number }) {
    const [made, never, broken] = [number(), number(), number()];
    // This library asks a second time by itself when the connection ends.
    await emulator.under({ acted_but_timed_out: { times: 2, call: 'order' } }, () => assert.rejects(client.precreate(made)));
    await emulator.pay('alipay', made);
    await emulator.under({ answer_never: { times: 2, call: 'order' } }, () => assert.rejects(client.precreate(never)));
    await emulator.refuses_payment('alipay', never);
    await emulator.under({ answer_500: { times: 1 } }, () => refused(client.call('alipay.trade.query', { out_trade_no: broken }), '20000', 'isp.unknow-error'));
    for (const fault of ['answer_wrong_key', 'answer_tampered']) {
      await emulator.under({ [fault]: { times: 1 } }, () => assert.rejects(client.query(made), /验签失败/, fault));
    }
    const shown = await emulator.under({ answer_wrong_amount: { times: 1 } }, () => client.query(made));
    assert.equal(shown.total_amount, '10.02');
  },
};

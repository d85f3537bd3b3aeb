// Judges Alipay's refunds: a success code is not a refund, fund_change is.

import assert from 'node:assert/strict';
import { eventually } from './emulator.mjs';
import { Client, refused } from './alipay_client.mjs';

export const open = ({ emulator }) => ({ client: new Client(emulator) });

export const checks = {
  async a_partial_refund_moves_money_once({ client, emulator, number }) {
    const [order, part] = [number(), number()];
    await client.paid(order);
    const before = (await emulator.totals('alipay')).refunded;
    const first = await client.good(client.refund(order, part, '4.00'));
    assert.deepEqual([first.fund_change, first.refund_fee], ['Y', '4.00']);
    const again = await client.good(client.refund(order, part, '4.00'));
    assert.deepEqual([again.fund_change, again.refund_fee], ['N', '4.00']);
    await refused(client.refund(order, part, '4.01'), '40004', 'ACQ.DISCORDANT_REPEAT_REQUEST');
    assert.equal((await emulator.totals('alipay')).refunded, before + 400);
    assert.equal((await client.query(order)).trade_status, 'TRADE_SUCCESS');
    const shown = await client.good(client.query_refund(order, part));
    assert.deepEqual([shown.refund_status, shown.refund_amount], ['REFUND_SUCCESS', '4.00']);
    assert.equal((await client.good(client.query_refund(order, number()))).refund_status, undefined);
  },

  async refunds_together_stay_within_the_payment_and_the_last_closes({ client, emulator, number }) {
    const order = number();
    const before = await emulator.totals('alipay');
    await client.paid(order);
    await client.good(client.refund(order, number(), '3.34'));
    await refused(client.refund(order, number(), '6.68'), '40004', 'ACQ.REFUND_AMT_NOT_EQUAL_TOTAL');
    assert.equal((await client.good(client.refund(order, number(), '6.67'))).refund_fee, '10.01');
    assert.equal((await client.query(order)).trade_status, 'TRADE_CLOSED');
    const after = await emulator.totals('alipay');
    assert.deepEqual([after.net, after.fees], [before.net, before.fees]);
  },

  async what_was_not_paid_gives_nothing_back({ client, emulator, number }) {
    const order = number();
    await client.precreate(order);
    await refused(client.refund(order, number(), '1.00'), '40004', 'ACQ.TRADE_NOT_EXIST');
    await emulator.tell('scan', { provider: 'alipay', order });
    await refused(client.refund(order, number(), '1.00'), '40004', 'ACQ.TRADE_STATUS_ERROR');
  },

  async a_refund_that_is_slow_or_never_done_is_seen_by_asking({ client, emulator, number }) {
    const [order, never, slow] = [number(), number(), number()];
    await client.paid(order);
    const before = (await emulator.totals('alipay')).refunded;
    const first = await emulator.under({ refund_not_done: { times: 1 } }, () => client.good(client.refund(order, never, '1.00')));
    assert.equal(first.fund_change, 'N');
    const second = await emulator.under({ refund_slow: { times: 1, seconds: 30 } }, () => client.good(client.refund(order, slow, '2.00')));
    assert.equal(second.fund_change, 'N');
    assert.equal((await client.query_refund(order, slow)).refund_status, undefined);
    await emulator.clock({ advance_s: 31 });
    await eventually('the slow refund is done', async () => (await client.query_refund(order, slow)).refund_status === 'REFUND_SUCCESS');
    assert.equal((await client.query_refund(order, never)).refund_status, undefined);
    assert.equal((await emulator.totals('alipay')).refunded, before + 200);
  },

  async a_refund_in_the_console_shows_in_the_days_totals({ client, emulator, number }) {
    const order = number();
    await client.paid(order);
    const before = (await emulator.totals('alipay')).refunded;
    await emulator.tell('console_refund', { provider: 'alipay', order, amount: 1 });
    assert.equal((await emulator.totals('alipay')).refunded, before + 1);
  },
};

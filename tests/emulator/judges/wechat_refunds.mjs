// Judges WeChat's refunds: accepted, done, failed, repeated, and never above what was paid.

import assert from 'node:assert/strict';
import { eventually } from './emulator.mjs';
import { Client, ended, refused } from './wechat_client.mjs';

export const open = ({ emulator }) => ({ client: new Client(emulator) });

export const checks = {
  async a_refund_is_accepted_first_and_done_later({ client, emulator, number }) {
    const order = await client.paid(number(), { total: 1000 });
    const before = await emulator.totals('wechat');
    const refund = number();
    const accepted = await client.refund(order, refund, 400);
    assert.equal(accepted.status, 'PROCESSING');
    assert.deepEqual(await emulator.totals('wechat'), before);
    const done = await ended(client, emulator, refund, 'SUCCESS');
    assert.deepEqual([done.amount.refund, done.amount.total, done.transaction_id], [400, 1000, order.transaction_id]);
    assert.ok(done.success_time);
    assert.equal((await emulator.totals('wechat')).refunded, before.refunded + 400);
    assert.equal((await client.query(order.out_trade_no)).trade_state, 'REFUND');
  },

  async the_same_refund_number_moves_money_once({ client, emulator, number }) {
    const order = await client.paid(number(), { total: 1000 });
    const before = (await emulator.totals('wechat')).refunded;
    const refund = number();
    const first = await client.refund(order, refund, 300);
    assert.equal((await client.refund(order, refund, 300)).refund_id, first.refund_id);
    await ended(client, emulator, refund, 'SUCCESS');
    await client.refund(order, refund, 300);
    await emulator.clock({ advance_s: 5 });
    await eventually('nothing is under way', async () => (await emulator.ask('waiting')).under_way === 0);
    assert.equal((await emulator.totals('wechat')).refunded, before + 300);
    await refused(client, client.refund(order, refund, 301), 400, 'INVALID_REQUEST');
  },

  async refunds_together_stay_within_the_payment({ client, emulator, number }) {
    const order = await client.paid(number(), { total: 1000 });
    const parts = [number(), number(), number()];
    await client.refund(order, parts[0], 600);
    await refused(client, client.refund(order, parts[1], 401), 400, 'INVALID_REQUEST');
    await client.refund(order, parts[1], 400);
    await refused(client, client.refund(order, parts[2], 1), 400, 'INVALID_REQUEST');
    await ended(client, emulator, parts[1], 'SUCCESS');
  },

  async a_full_refund_returns_the_whole_fee({ client, emulator, number }) {
    const before = await emulator.totals('wechat');
    const order = await client.paid(number(), { total: 3333 });
    assert.equal((await emulator.totals('wechat')).fees, before.fees + 20);
    for (const part of [1111, 1111, 1111]) {
      const refund = number();
      await client.refund(order, refund, part);
      await ended(client, emulator, refund, 'SUCCESS');
    }
    const after = await emulator.totals('wechat');
    assert.deepEqual([after.fees, after.net], [before.fees, before.net]);
  },

  async an_unpaid_order_gives_nothing_back({ client, number }) {
    const order = number();
    await client.native(order);
    await refused(client, client.refund(await client.query(order), number(), 1), 400, 'INVALID_REQUEST');
    await refused(client, client.query_refund(number()), 404, 'RESOURCE_NOT_EXISTS');
  },

  async an_accepted_refund_turns_abnormal_and_is_sent_again({ client, emulator, number }) {
    const order = await client.paid(number(), { total: 1000 });
    const before = (await emulator.totals('wechat')).refunded;
    const refund = number();
    const { refund_id: id } = await emulator.under({ refund_abnormal: { times: 1 } }, () => client.refund(order, refund, 250));
    await ended(client, emulator, refund, 'ABNORMAL');
    assert.equal((await emulator.totals('wechat')).refunded, before);
    await refused(client, client.refund(order, number(), 751), 400, 'INVALID_REQUEST');
    await client.post(`v3/refund/domestic/refunds/${id}/apply-abnormal-refund`, { out_refund_no: refund, type: 'MERCHANT_BANK_CARD' });
    await ended(client, emulator, refund, 'SUCCESS');
    assert.equal((await emulator.totals('wechat')).refunded, before + 250);
  },

  async an_accepted_refund_is_closed_and_a_new_number_does_it({ client, emulator, number }) {
    const order = await client.paid(number(), { total: 1000 });
    const [closed, next] = [number(), number()];
    await emulator.under({ refund_closed: { times: 1 } }, () => client.refund(order, closed, 1000));
    await ended(client, emulator, closed, 'CLOSED');
    assert.equal((await client.refund(order, closed, 1000)).status, 'CLOSED');
    await client.refund(order, next, 1000);
    await ended(client, emulator, next, 'SUCCESS');
  },

  async a_refund_in_the_console_shows_in_the_days_totals({ client, emulator, number }) {
    const order = await client.paid(number(), { total: 1000 });
    const before = (await emulator.totals('wechat')).refunded;
    const { refund_no: made } = await emulator.tell('console_refund', { provider: 'wechat', order: order.out_trade_no, amount: 700 });
    assert.equal((await client.query_refund(made)).status, 'SUCCESS');
    assert.equal((await emulator.totals('wechat')).refunded, before + 700);
    await refused(client, client.refund(order, number(), 301), 400, 'INVALID_REQUEST');
  },
};

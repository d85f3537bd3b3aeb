// Judges what the fault menu does to WeChat's answers: unknown must be told from done and from not done.

import assert from 'node:assert/strict';
import { eventually } from './emulator.mjs';
import { Client, ended, refused } from './wechat_client.mjs';

export const open = ({ emulator }) => ({ client: new Client(emulator) });

export const checks = {
  async an_order_is_made_although_its_answer_never_came({ client, emulator, number }) {
    const order = number();
    await emulator.under({ acted_but_timed_out: { times: 1, call: 'order' } }, () => assert.rejects(client.native(order), (fault) => !fault.response));
    assert.equal((await client.query(order)).trade_state, 'NOTPAY');
    await client.native(order);
  },

  async an_order_is_not_made_when_nothing_was_done({ client, emulator, number }) {
    const [never, broken] = [number(), number()];
    await emulator.under({ answer_never: { times: 1, call: 'order' } }, () => assert.rejects(client.native(never), (fault) => !fault.response));
    await refused(client, client.query(never), 404, 'ORDER_NOT_EXIST');
    await emulator.under({ answer_500: { times: 1, call: 'order' } }, () => refused(client, client.native(broken), 500, 'SYSTEM_ERROR'));
    await refused(client, client.query(broken), 404, 'ORDER_NOT_EXIST');
  },

  async a_refund_is_accepted_although_its_answer_never_came({ client, emulator, number }) {
    const order = await client.paid(number());
    const refund = number();
    await emulator.under({ acted_but_timed_out: { times: 1, call: 'refund' } }, () => assert.rejects(client.refund(order, refund, 1)));
    assert.equal((await client.query_refund(refund)).amount.refund, 1);
    await ended(client, emulator, refund, 'SUCCESS');
  },

  async an_answer_that_proves_nothing_is_refused_by_the_library({ client, emulator, number }) {
    const order = number();
    await client.paid(order);
    const library = {
      answer_wrong_key: 'EV3_RES_HEADER_SIGNATURE_DIGEST', answer_tampered: 'EV3_RES_HEADER_SIGNATURE_DIGEST',
      answer_probe: 'EV3_RES_HEADER_SIGNATURE_DIGEST', answer_stale_time: 'EV3_RES_HEADER_TIMESTAMP_OFFSET',
    };
    for (const [fault, code] of Object.entries(library)) {
      await emulator.under({ [fault]: { times: 1, call: 'query' } }, () => assert.rejects(client.query(order), { code }, fault));
      assert.equal((await client.query(order)).trade_state, 'SUCCESS');
    }
  },

  async a_query_answers_for_somebody_else_or_another_amount({ client, emulator, number }) {
    const truth = await client.paid(number());
    for (const [fault, field] of [['answer_wrong_appid', 'appid'], ['answer_wrong_mchid', 'mchid'], ['answer_wrong_amount', 'amount']]) {
      const shown = await emulator.under({ [fault]: { times: 1 } }, () => client.query(truth.out_trade_no));
      assert.notDeepEqual(shown[field], truth[field], fault);
    }
    assert.deepEqual(await client.query(truth.out_trade_no), truth);
  },

  async under_the_whole_menu_no_fen_goes_astray({ client, emulator, number }) {
    const before = await emulator.totals('wechat');
    const { menu } = await emulator.ask('faults');
    const orders = Array.from({ length: 40 }, number);
    await emulator.under(Object.fromEntries(Object.keys(menu).map((name) => [name, { chance: 0.2, seconds: 0 }])), () => Promise.all(orders.map(async (order) => {
      // Whatever comes back: only what a query says afterwards counts.
      await client.native(order).catch(() => {});
      await emulator.attempt('pay', { provider: 'wechat', order });
      await client.close(order).catch(() => {});
      await client.refund({ out_trade_no: order, amount: { total: 1001 } }, order, 33).catch(() => {});
    })));
    await emulator.clock({ advance_s: 2 });
    const [captured, refunded] = [[], []];
    for (const order of orders) {
      const state = await client.query(order).then((shown) => shown.trade_state, () => 'never made');
      if (['SUCCESS', 'REFUND'].includes(state)) captured.push(order);
      const status = state === 'REFUND' && await eventually('a refund ends', async () => {
        const refund = await client.query_refund(order);
        return refund.status !== 'PROCESSING' && refund.status;
      });
      if (status === 'SUCCESS') refunded.push(order);
    }
    const after = await emulator.totals('wechat');
    assert.ok(captured.length > 5 && refunded.length > 0, `${captured.length} ${refunded.length}`);
    assert.deepEqual([after.captured - before.captured, after.refunded - before.refunded], [captured.length * 1001, refunded.length * 33]);
  },

  async what_has_struck_is_told({ client, emulator, number }) {
    const order = number();
    const before = (await emulator.ask('faults')).struck.length;
    await emulator.under({ answer_500: { times: 1, call: 'close' } }, async () => {
      await client.native(order);
      await refused(client, client.close(order), 500, 'SYSTEM_ERROR');
      await client.close(order);
    });
    const { struck, on } = await emulator.ask('faults');
    assert.deepEqual(struck.slice(before), [{ fault: 'answer_500', provider: 'wechat', call: 'close', about: order }]);
    assert.deepEqual(on, {});
  },
};

// Judges Alipay's callbacks: signed without sign and sign_type, repeated until `success`, and each forgery of the fault menu.

import assert from 'node:assert/strict';
import { eventually } from './emulator.mjs';
import { Client } from './alipay_client.mjs';

export const open = ({ emulator }) => ({ client: new Client(emulator) });

async function paid({ client, listener, number }) {
  const order = number();
  const path = `/${order}`;
  await client.paid(order, { url: listener.url(path) });
  return { order, path };
}

async function first_under(bench, fault) {
  return bench.emulator.under({ [fault]: { times: 1 } }, async () => {
    const made = await paid(bench);
    return { ...made, came: await bench.listener.wait(made.path) };
  });
}

export const checks = {
  async a_callback_says_what_a_query_says(bench) {
    const { client, listener } = bench;
    const { order, path } = await paid(bench);
    const [callback] = await listener.wait(path);
    const said = client.open(callback);
    const truth = await client.query(order);
    for (const name of ['trade_no', 'out_trade_no', 'total_amount', 'trade_status']) assert.equal(said[name], truth[name], name);
    assert.deepEqual([said.app_id, said.seller_id, said.notify_type], [client.appId, client.seller, 'trade_status_sync']);
    assert.throws(() => client.open({ ...callback, body: callback.body.replace('10.01', '90.01') }), /signature/);
  },

  async a_partial_refund_comes_as_success_again_and_a_full_one_as_closed(bench) {
    const { client, listener, number } = bench;
    const { order, path } = await paid(bench);
    const part = number();
    await client.good(client.refund(order, part, '4.00'));
    const second = client.open((await listener.wait(path, 2))[1]);
    assert.deepEqual([second.trade_status, second.refund_fee, second.out_biz_no], ['TRADE_SUCCESS', '4.00', part]);
    await client.good(client.refund(order, number(), '6.01'));
    const third = client.open((await listener.wait(path, 3))[2]);
    assert.deepEqual([third.trade_status, third.refund_fee], ['TRADE_CLOSED', '10.01']);
  },

  async a_callback_is_repeated_until_it_is_answered_with_success(bench) {
    const { client, listener, emulator } = bench;
    listener.answers = (_, count) => [[500, ''], [200, 'ok'], [200, 'success']][Math.min(count, 3) - 1];
    const { path } = await paid(bench);
    const noted = (count) => eventually(`${count} attempts are noted`, async () => (
      (await emulator.ask('callbacks')).filter(({ about }) => `/${about}` === path).length >= count));
    for (const count of [1, 2]) {
      await listener.wait(path, count);
      await noted(count);
      await emulator.clock({ advance_s: 601 });
    }
    const three = await listener.wait(path, 3);
    assert.equal(client.open(three[2]).notify_id, new URLSearchParams(three[0].body).get('notify_id'));
    await noted(3);
    await emulator.clock({ advance_s: 4000 });
    await paid(bench).then((later) => listener.wait(later.path));
    assert.equal(listener.at(path).length, 3);
  },

  async forgeries_of_the_menu_are_what_they_say(bench) {
    for (const [fault, wrong] of [['callback_stale_time', /stale/], ['callback_wrong_key', /signature/], ['callback_tampered', /signature/]]) {
      const { came } = await first_under(bench, fault);
      assert.throws(() => bench.client.open(came[0]), wrong, fault);
    }
  },

  async beside_a_forgery_the_right_callback_comes_too(bench) {
    const { client, listener } = bench;
    const fields = { callback_wrong_appid: 'app_id', callback_wrong_mchid: 'seller_id', callback_wrong_amount: 'total_amount', callback_malformed: 'trade_status' };
    const right = { app_id: client.appId, seller_id: client.seller, total_amount: '10.01', trade_status: 'TRADE_SUCCESS' };
    for (const [fault, field] of Object.entries(fields)) {
      const { path } = await first_under(bench, fault);
      const said = (await listener.wait(path, 2)).map((callback) => client.open(callback)[field]);
      assert.equal(said.filter((value) => value === right[field]).length, 1, `${fault}: ${said}`);
    }
  },

  async callbacks_are_duplicated_delayed_and_dropped(bench) {
    const { client, listener, emulator } = bench;
    const { path } = await first_under(bench, 'callback_duplicate');
    const twice = await listener.wait(path, 2);
    assert.equal(client.open(twice[0]).notify_id, client.open(twice[1]).notify_id);
    const late = await emulator.under({ callback_delay: { times: 1, seconds: 120 } }, () => paid(bench));
    const gone = await emulator.under({ callback_drop: { times: 1 } }, () => paid(bench));
    await paid(bench).then((after) => listener.wait(after.path));
    assert.equal(listener.at(late.path).length, 0);
    await emulator.clock({ advance_s: 121 });
    await listener.wait(late.path);
    assert.equal(listener.at(gone.path).length, 0);
  },

  async another_merchants_payment_comes_rightly_signed({ client, listener, emulator }) {
    await emulator.tell('foreign_payment', { provider: 'alipay', amount: 777, notify_url: listener.url('/foreign') });
    const said = client.open((await listener.wait('/foreign'))[0]);
    assert.notEqual(said.seller_id, client.seller);
    assert.equal(said.total_amount, '7.77');
  },

  async after_a_change_of_keys_only_the_new_one_proves(bench) {
    const { client, emulator, listener } = bench;
    await emulator.tell('keys', { provider: 'alipay', change: 'begin' });
    await emulator.tell('keys', { provider: 'alipay', change: 'end' });
    await assert.rejects(client.query('nobody'), /验签失败/);
    const old = client.library.config.alipayPublicKey;
    client.library.config.alipayPublicKey = emulator.file(emulator.client.alipay.next_alipay_public_key);
    const { path } = await paid(bench);
    const [callback] = await listener.wait(path);
    client.open(callback);
    client.library.config.alipayPublicKey = old;
    assert.throws(() => client.open(callback), /signature/);
    client.library.config.alipayPublicKey = emulator.file(emulator.client.alipay.next_alipay_public_key);
    emulator.client.alipay.alipay_public_key = emulator.client.alipay.next_alipay_public_key;
  },
};

// Judges WeChat's callbacks: proved, sealed, repeated, and each forgery of the fault menu.

import assert from 'node:assert/strict';
import { eventually } from './emulator.mjs';
import { Aes, Rsa } from './libraries.mjs';
import { Client } from './wechat_client.mjs';

export const open = ({ emulator }) => ({ client: new Client(emulator) });

// A paid order whose callbacks come to a path of its own.
async function paid({ client, listener, number }, more) {
  const order = number();
  const path = `/${order}`;
  await client.paid(order, { url: listener.url(path), ...more });
  return { order, path };
}

// What comes first, with one fault switched on for one callback.
async function first_under(bench, fault) {
  const { order, path } = await bench.emulator.under({ [fault]: { times: 1 } }, async () => {
    const made = await paid(bench);
    await bench.listener.wait(made.path);
    return made;
  });
  return { order, path, came: bench.listener.at(path) };
}

export const checks = {
  async a_callback_says_what_a_query_says({ client, listener, number, emulator }) {
    const { order, path } = await paid({ client, listener, number });
    const [callback] = await listener.wait(path);
    const { event, resource } = client.open(callback);
    assert.deepEqual([event.event_type, event.resource_type], ['TRANSACTION.SUCCESS', 'encrypt-resource']);
    assert.deepEqual(resource, await client.query(order));
    const [tampered, key] = [callback.body.replace('TRANSACTION', 'TRANSACTIOM'), emulator.file('apiv3_key.txt')];
    assert.throws(() => client.open({ ...callback, body: tampered }), /signature/);
    assert.throws(() => client.open(callback, Math.floor(Date.now() / 1000) + 301), /stale/);
    const { ciphertext, nonce } = event.resource;
    assert.throws(() => Aes.AesGcm.decrypt(ciphertext, key, nonce, 'other'), undefined, 'the associated data does not matter');
  },

  async a_refund_is_told_with_its_end({ client, listener, emulator, number }) {
    const order = await client.paid(number());
    const refund = number();
    await client.refund(order, refund, 1001, { url: listener.url(`/${refund}`) });
    await emulator.clock({ advance_s: 2 });
    const { event, resource } = client.open((await listener.wait(`/${refund}`))[0]);
    assert.equal(event.event_type, 'REFUND.SUCCESS');
    assert.deepEqual([resource.out_refund_no, resource.refund_status, resource.amount.refund], [refund, 'SUCCESS', 1001]);
  },

  async a_callback_is_repeated_until_it_is_acknowledged({ client, listener, emulator, number }) {
    listener.answers = (_, count) => (count < 3 ? [500, ''] : [204, undefined]);
    const { path } = await paid({ client, listener, number });
    const [one] = await listener.wait(path, 1);
    // The next attempt is planned once the emulator has seen that this one failed.
    const noted = (count) => eventually(`${count} attempts are noted`, async () => (
      (await emulator.ask('callbacks')).filter(({ about }) => `/${about}` === path).length >= count));
    await noted(1);
    await emulator.clock({ advance_s: 16 });
    await listener.wait(path, 2);
    await noted(2);
    await emulator.clock({ advance_s: 16 });
    const three = await listener.wait(path, 3);
    assert.equal(client.open(three[2]).event.id, client.open(one, Number(one.headers['wechatpay-timestamp'])).event.id);
    await emulator.clock({ advance_s: 3600 });
    await paid({ client, listener, number }).then((later) => listener.wait(later.path));
    assert.equal(listener.at(path).length, 3);
  },

  async forgeries_of_the_menu_are_what_they_say(bench) {
    const { client } = bench;
    for (const [fault, wrong] of [['callback_stale_time', /stale/], ['callback_wrong_key', /signature/], ['callback_tampered', /signature/]]) {
      const { came } = await first_under(bench, fault);
      assert.throws(() => client.open(came[0]), wrong, fault);
    }
  },

  async beside_a_forgery_the_right_callback_comes_too(bench) {
    const { client, listener } = bench;
    for (const [fault, differs] of [['callback_wrong_appid', 'appid'], ['callback_wrong_mchid', 'mchid'], ['callback_wrong_amount', 'amount']]) {
      const { order, path } = await first_under(bench, fault);
      const opened = (await listener.wait(path, 2)).map((callback) => client.open(callback).resource);
      const truth = await client.query(order);
      const same = opened.filter((resource) => JSON.stringify(resource[differs]) === JSON.stringify(truth[differs]));
      assert.equal(same.length, 1, `${fault}: ${JSON.stringify(opened.map((resource) => resource[differs]))}`);
    }
    for (const [fault, wrong] of [['callback_probe', /probe/], ['callback_malformed', /length/]]) {
      const { path } = await first_under(bench, fault);
      const faults = (await listener.wait(path, 2)).map((callback) => { try { client.open(callback); return ''; } catch (e) { return e.message; } });
      assert.equal(faults.filter((fault_found) => wrong.test(fault_found)).length, 1, `${fault}: ${faults}`);
      assert.equal(faults.filter((fault_found) => fault_found === '').length, 1, `${fault}: ${faults}`);
    }
  },

  async callbacks_are_duplicated_delayed_reordered_and_dropped(bench) {
    const { client, listener, emulator } = bench;
    const { path } = await first_under(bench, 'callback_duplicate');
    const twice = await listener.wait(path, 2);
    assert.deepEqual(client.open(twice[0]).resource, client.open(twice[1]).resource);
    const late = await emulator.under({ callback_delay: { times: 1, seconds: 120 } }, () => paid(bench));
    const held = await emulator.under({ callback_reorder: { times: 1 } }, () => paid(bench));
    const next = await paid(bench);
    await listener.wait(next.path);
    await listener.wait(held.path);
    assert.equal(listener.at(late.path).length, 0);
    await emulator.clock({ advance_s: 121 });
    await listener.wait(late.path);
    const gone = await emulator.under({ callback_drop: { times: 1 } }, () => paid(bench));
    await emulator.clock({ advance_s: 7200 });
    await paid(bench).then((after) => listener.wait(after.path));
    assert.equal(listener.at(gone.path).length, 0);
    const log = await emulator.ask('callbacks');
    assert.ok(log.some((entry) => entry.about === gone.order && entry.kind === 'dropped'));
  },

  async with_callbacks_off_only_a_query_tells({ client, listener, emulator, number }) {
    await emulator.tell('callbacks', { enabled: false });
    const { order, path } = await paid({ client, listener, number });
    await emulator.tell('callbacks', { enabled: true });
    const after = await paid({ client, listener, number });
    await listener.wait(after.path);
    assert.equal((await client.query(order)).trade_state, 'SUCCESS');
    assert.equal(listener.at(path).length, 0);
  },

  async another_merchants_payment_comes_rightly_signed({ client, listener, emulator }) {
    const { order } = await emulator.tell('foreign_payment', { provider: 'wechat', amount: 777, notify_url: listener.url('/foreign') });
    const { resource } = client.open((await listener.wait('/foreign'))[0]);
    assert.equal(resource.out_trade_no, order);
    assert.notEqual(resource.mchid, client.mchid);
    await assert.rejects(client.refund({ out_trade_no: 'nothing1', amount: { total: 777 } }, 'foreign1', 1));
  },

  async a_change_of_keys_uses_both_then_the_new_one(bench) {
    const { client, emulator, listener } = bench;
    const serials = async (count) => {
      const seen = new Set();
      for (let turn = 0; turn < count; turn += 1) {
        const { path } = await paid(bench);
        const [callback] = await listener.wait(path);
        client.open(callback);
        seen.add(callback.headers['wechatpay-serial']);
      }
      return seen;
    };
    // The public key is known to the client from the start: it may sign from now on.
    await emulator.tell('keys', { provider: 'wechat', change: 'begin_public_key' });
    await eventually('both keys sign', async () => (await serials(6)).size === 2);
    await emulator.tell('keys', { provider: 'wechat', change: 'end' });
    assert.deepEqual([...await serials(4)], [Object.keys(client.certs).find((id) => id.startsWith('PUB_KEY_ID_'))]);
    await emulator.tell('keys', { provider: 'wechat', change: 'begin' });
    const [[id, name]] = Object.entries(emulator.client.wechat.next_platform_keys);
    // A client that does not know the new certificate refuses what it signed, and finds it in the list.
    const found = await eventually('the new certificate is listed', async () => {
      try { return (await client.get('v3/certificates')).data.data.find((one) => one.serial_no === id); } catch { return null; }
    });
    const { ciphertext, nonce, associated_data: associated } = found.encrypt_certificate;
    const certificate = Aes.AesGcm.decrypt(ciphertext, emulator.file('apiv3_key.txt'), nonce, associated);
    assert.ok(Rsa.verify('x', Rsa.sign('x', emulator.file('wechat_platform_2.private.pem')), certificate));
    await emulator.tell('keys', { provider: 'wechat', change: 'end' });
    await assert.rejects(client.query('nobody00').then(() => paid(bench)), undefined);
    Object.assign(bench.client, new Client(emulator));
    bench.client.certs[id] = emulator.file(name);
    await emulator.tell('keys', { provider: 'wechat', change: 'begin_public_key' });
    await emulator.tell('keys', { provider: 'wechat', change: 'end' });
  },
};

// Owns the merchant's client of WeChat Pay, on the library wechatpay-axios-plugin.

import assert from 'node:assert/strict';
import { eventually } from './emulator.mjs';
import { Aes, Formatter, Rsa, Wechatpay } from './libraries.mjs';

export const MOST_SKEW_S = 300;

export class Client {
  constructor(emulator, privateKey) {
    const { mchid, appid, serial, platform_keys: platform, private_key: own } = emulator.client.wechat;
    Object.assign(this, { emulator, mchid, appid });
    this.certs = Object.fromEntries(Object.entries(platform).map(([id, name]) => [id, emulator.file(name)]));
    this.library = new Wechatpay({
      mchid, serial, privateKey: emulator.file(privateKey ?? own), certs: { ...this.certs }, baseURL: `${emulator.address}/`, proxy: false,
    });
  }

  async post(path, body, options = {}) { return this.library.chain(path).post(body, options); }

  async get(path, params, options = {}) { return this.library.chain(path).get({ params, ...options }); }

  // The order of a kind, as the box would make it.
  asked(number, more = {}) {
    return {
      appid: this.appid, mchid: this.mchid, description: '停车费', out_trade_no: number, notify_url: more.url ?? 'http://127.0.0.1:9/none',
      amount: { total: more.total ?? 1001, currency: 'CNY' }, ...more.fields,
    };
  }

  async native(number, more) { return (await this.post('v3/pay/transactions/native', this.asked(number, more))).data; }

  async paid(number, more) {
    await this.native(number, more);
    await this.emulator.pay('wechat', number);
    return this.query(number);
  }

  async query(number) { return (await this.get(`v3/pay/transactions/out-trade-no/${number}`, { mchid: this.mchid })).data; }

  async close(number) { return this.post(`v3/pay/transactions/out-trade-no/${number}/close`, { mchid: this.mchid }); }

  async refund(order, number, refund, more = {}) {
    return (await this.post('v3/refund/domestic/refunds', {
      out_trade_no: order.out_trade_no, out_refund_no: number, reason: 'test', notify_url: more.url ?? 'http://127.0.0.1:9/none',
      amount: { refund, total: order.amount.total, currency: 'CNY' },
    })).data;
  }

  async query_refund(number) { return (await this.get(`v3/refund/domestic/refunds/${number}`)).data; }

  // Everything that a client must look at before it believes a callback. Throws what is wrong.
  open({ headers, body }, now = Formatter.timestamp()) {
    const said = (name) => headers[`wechatpay-${name}`] ?? '';
    assert.ok(!said('signature').startsWith('WECHATPAY/SIGNTEST/'), 'a probe');
    assert.ok(this.certs[said('serial')], `unknown serial ${said('serial')}`);
    const text = Formatter.response(said('timestamp'), said('nonce'), body);
    assert.ok(Rsa.verify(text, said('signature'), this.certs[said('serial')]), 'the signature is wrong');
    assert.ok(Math.abs(now - Number(said('timestamp'))) < MOST_SKEW_S, 'it is stale');
    const event = JSON.parse(body);
    const { ciphertext, nonce, associated_data: associated, algorithm } = event.resource;
    assert.equal(algorithm, 'AEAD_AES_256_GCM');
    assert.equal(nonce.length, 12, 'the nonce has a wrong length');
    const key = this.emulator.file('apiv3_key.txt');
    return { event, resource: JSON.parse(Aes.AesGcm.decrypt(ciphertext, key, nonce, associated)) };
  }
}

// What a call was refused with; its signature is looked at too, since the library does so for good answers alone.
export async function refused(client, call, status, code) {
  let response;
  try { response = await call; } catch (fault) { response = fault.response ?? assert.fail(`no answer: ${fault.message}`); }
  assert.equal(`${response.status} ${response.data?.code}`, `${status} ${code}`);
  const { headers } = response;
  const text = Formatter.response(headers['wechatpay-timestamp'], headers['wechatpay-nonce'], JSON.stringify(response.data));
  assert.ok(Rsa.verify(text, headers['wechatpay-signature'], client.certs[headers['wechatpay-serial']]), 'a refusal is signed wrongly');
}

// Lets a refund come to its end.
export async function ended(client, emulator, number, status) {
  await emulator.clock({ advance_s: 2 });
  return eventually(`${number} becomes ${status}`, async () => {
    const refund = await client.query_refund(number);
    return refund.status === status && refund;
  });
}

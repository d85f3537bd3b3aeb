// Owns the merchant's client of Alipay, on the library alipay-sdk.

import assert from 'node:assert/strict';
import { AlipaySdk } from './libraries.mjs';

export const MOST_SKEW_S = 300;

export class Client {
  constructor(emulator, privateKey) {
    const { app_id: appId, seller_id: seller, private_key: own, alipay_public_key: theirs } = emulator.client.alipay;
    Object.assign(this, { emulator, appId, seller });
    this.library = new AlipaySdk({
      appId, privateKey: emulator.file(privateKey ?? own), alipayPublicKey: emulator.file(theirs), keyType: 'PKCS8', timeout: 15000,
      gateway: `${emulator.address}/gateway.do`, camelcase: false,
    });
  }

  // A call whose answer's signature is looked at; `url` is where callbacks go.
  async call(method, content, url) {
    const answer = await this.library.exec(method, { biz_content: content, ...(url ? { notify_url: url } : {}) }, { validateSign: true });
    delete answer.traceId;
    return answer;
  }

  async precreate(number, { total = '10.01', url, ...more } = {}) {
    return this.good(this.call('alipay.trade.precreate', { out_trade_no: number, total_amount: total, subject: '停车费', ...more }, url));
  }

  async paid(number, more) {
    await this.precreate(number, more);
    await this.emulator.pay('alipay', number);
    return this.query(number);
  }

  async good(call) {
    const answer = await call;
    assert.deepEqual([answer.code, answer.msg], ['10000', 'Success'], JSON.stringify(answer));
    return answer;
  }

  query(number) { return this.call('alipay.trade.query', { out_trade_no: number }); }

  close(number) { return this.call('alipay.trade.close', { out_trade_no: number }); }

  cancel(number) { return this.call('alipay.trade.cancel', { out_trade_no: number }); }

  refund(number, part, amount) {
    return this.call('alipay.trade.refund', { out_trade_no: number, out_request_no: part, refund_amount: amount });
  }

  query_refund(number, part) {
    return this.call('alipay.trade.fastpay.refund.query', { out_trade_no: number, out_request_no: part });
  }

  // What a client must look at before it believes a callback. The library also takes a signature over sign_type, which
  // Alipay does not make: so the text is written here, and the library's check is asked about just that text.
  open({ body, headers }, now = Date.now()) {
    assert.match(headers['content-type'], /^application\/x-www-form-urlencoded/);
    const said = Object.fromEntries(new URLSearchParams(body));
    const text = Object.keys(said).filter((name) => name !== 'sign' && name !== 'sign_type').sort().map((name) => `${name}=${said[name]}`).join('&');
    assert.ok(this.library.rsaCheck(text, said.sign, said.sign_type), 'the signature is wrong');
    assert.ok(this.library.checkNotifySignV2(said), 'the library refuses it');
    const sent = new Date(`${said.notify_time.replace(' ', 'T')}+08:00`).getTime();
    assert.ok(Math.abs(now - sent) < MOST_SKEW_S * 1000, 'it is stale');
    return said;
  }
}

export async function refused(call, code, subCode) {
  const answer = await call;
  assert.deepEqual([answer.code, answer.sub_code], [code, subCode], JSON.stringify(answer));
}

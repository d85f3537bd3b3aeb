// Judges WeChat's orders: made, queried, paid, closed, reversed.

import assert from 'node:assert/strict';
import { Client, refused } from './wechat_client.mjs';
import { Formatter, Rsa } from './libraries.mjs';

export const open = ({ emulator }) => ({ client: new Client(emulator) });

const codes = { paid: '130000000000000000', password: '130000000000000001', poor: '130000000000000002', old: '130000000000000003' };
const codepay = (client, number, code) => client.post('v3/pay/transactions/codepay', {
  appid: client.appid, mchid: client.mchid, description: '停车费', out_trade_no: number, payer: { auth_code: code },
  amount: { total: 500, currency: 'CNY' }, scene_info: { store_info: { id: 'L1' } },
});

export const checks = {
  async each_kind_of_order_gives_what_a_phone_needs({ client, number }) {
    const { code_url: code } = await client.native(number());
    assert.match(code, /^weixin:\/\/wxpay\/bizpayurl\?pr=\w+$/);
    const fields = { scene_info: { payer_client_ip: '127.0.0.1', h5_info: { type: 'Wap' } } };
    const { data: h5 } = await client.post('v3/pay/transactions/h5', client.asked(number(), { fields }));
    assert.match(h5.h5_url, /^https:\/\/.+prepay_id=wx/);
    await client.emulator.tell('habits', { pages_here: true });
    const here = number();
    const { data: near } = await client.post('v3/pay/transactions/h5', client.asked(here, { fields }));
    await client.emulator.tell('habits', { pages_here: false });
    assert.ok((await (await fetch(near.h5_url)).text()).includes('10.01'));
    const back = await fetch(`${near.h5_url}&redirect_url=${encodeURIComponent('http://127.0.0.1:9/bill?id=7')}`, { method: 'POST', redirect: 'manual' });
    assert.equal(back.headers.get('location'), 'http://127.0.0.1:9/bill?id=7');
    assert.equal((await client.query(here)).trade_state, 'SUCCESS');
    const payer = { payer: { openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' } };
    const { data: jsapi } = await client.post('v3/pay/transactions/jsapi', client.asked(number(), { fields: payer }));
    assert.match(jsapi.prepay_id, /^wx\w+$/);
  },

  async oauth_tells_who_the_payer_is_once({ client, emulator }) {
    const { appid, app_secret: secret } = emulator.client.wechat;
    const authorize = (more) => fetch(`${emulator.address}/connect/oauth2/authorize?${new URLSearchParams({
      appid, redirect_uri: 'http://127.0.0.1:9/page?bill=7', response_type: 'code', scope: 'snsapi_base', state: 'of-us', ...more })}`, { redirect: 'manual' });
    const back = new URL((await authorize({})).headers.get('location'));
    assert.deepEqual([back.host, back.pathname, back.searchParams.get('bill'), back.searchParams.get('state')], ['127.0.0.1:9', '/page', '7', 'of-us']);
    assert.equal((await authorize({ redirect_uri: 'http://example.com/' })).status, 200);
    const token = async (code, more) => (await fetch(`${emulator.address}/sns/oauth2/access_token?${new URLSearchParams({
      appid, secret, code, grant_type: 'authorization_code', ...more })}`)).json();
    const code = back.searchParams.get('code');
    assert.equal((await token(code, { secret: 'wrong' })).errcode, 40125);
    assert.match((await token(code)).openid, /^o\w{27}$/);
    assert.equal((await token(code)).errcode, 40163);
    assert.equal((await token('nobody')).errcode, 40029);
    const late = new URL((await authorize({})).headers.get('location')).searchParams.get('code');
    await emulator.clock({ advance_s: 301 });
    assert.equal((await token(late)).errcode, 40029);
  },

  async wechats_browser_pays_what_the_merchant_signed({ client, emulator, number }) {
    const order = number();
    const payer = { payer: { openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' } };
    const { data: { prepay_id: prepay } } = await client.post('v3/pay/transactions/jsapi', client.asked(order, { fields: payer }));
    const [timeStamp, nonceStr, packed] = [String(Formatter.timestamp()), Formatter.nonce(), `prepay_id=${prepay}`];
    const signed = (key) => ({ appId: client.appid, timeStamp, nonceStr, package: packed, signType: 'RSA',
      paySign: Rsa.sign(Formatter.joinedByLineFeed(client.appid, timeStamp, nonceStr, packed), emulator.file(key)) });
    assert.equal((await emulator.attempt('invoke', signed('stranger.private.pem'))).status, 400);
    assert.equal((await emulator.attempt('invoke', { ...signed('merchant_wechat.private.pem'), nonceStr: 'other' })).status, 400);
    assert.equal((await client.query(order)).trade_state, 'NOTPAY');
    assert.equal((await emulator.tell('invoke', signed('merchant_wechat.private.pem'))).trade_state, 'SUCCESS');
    assert.equal((await client.query(order)).payer.openid, payer.payer.openid);
  },

  async an_order_goes_from_unpaid_to_paid_to_the_fen({ client, emulator, number }) {
    const order = number();
    await client.native(order, { total: 1234567 });
    const before = await client.query(order);
    assert.equal(before.trade_state, 'NOTPAY');
    assert.equal(before.transaction_id, undefined);
    await emulator.pay('wechat', order);
    const after = await client.query(order);
    assert.equal(after.trade_state, 'SUCCESS');
    assert.deepEqual([after.mchid, after.appid, after.out_trade_no], [client.mchid, client.appid, order]);
    assert.deepEqual([after.amount.total, after.amount.payer_total, after.amount.currency], [1234567, 1234567, 'CNY']);
    assert.match(after.success_time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/);
    assert.match(after.transaction_id, /^4200\d{24}$/);
    const { data } = await client.get(`v3/pay/transactions/id/${after.transaction_id}`, { mchid: client.mchid });
    assert.deepEqual(data, after);
  },

  async an_order_that_nobody_made_does_not_exist({ client, number }) {
    await refused(client, client.query(number()), 404, 'ORDER_NOT_EXIST');
  },

  async a_strangers_signature_is_refused({ emulator, number }) {
    const stranger = new Client(emulator, 'stranger.private.pem');
    await refused(stranger, stranger.native(number()), 401, 'SIGN_ERROR');
    await refused(stranger, stranger.query('nobody'), 401, 'SIGN_ERROR');
  },

  async a_request_six_minutes_old_is_refused({ client, number }) {
    const now = Date.now;
    try {
      Date.now = () => now() - 360_000;
      await refused(client, client.native(number()), 401, 'SIGN_ERROR');
    } finally { Date.now = now; }
    await client.native(number());
  },

  async the_same_number_gives_the_same_order_and_no_other({ client, number }) {
    const order = number();
    const first = await client.native(order);
    assert.deepEqual(await client.native(order), first);
    await refused(client, client.native(order, { total: 999 }), 403, 'OUT_TRADE_NO_USED');
    assert.equal((await client.query(order)).amount.total, 1001);
  },

  async a_bad_order_is_refused({ client, number }) {
    for (const wrong of [{ total: 0 }, { total: -5 }, { total: 1.5 }, { fields: { appid: 'wx1' } }, { fields: { out_trade_no: 'short' } },
      { fields: { out_trade_no: 'x'.repeat(33) } }, { fields: { out_trade_no: '停车费停车费' } }, { fields: { description: '' } },
      { fields: { time_expire: 'soon' } }]) {
      await assert.rejects(client.native(number(), wrong), (fault) => fault.response.status === 400, JSON.stringify(wrong));
    }
    await refused(client, client.post('v3/pay/transactions/jsapi', client.asked(number())), 400, 'PARAM_ERROR');
  },

  async a_closed_order_takes_no_money({ client, emulator, number }) {
    const order = number();
    await client.native(order);
    assert.equal((await client.close(order)).status, 204);
    assert.equal((await client.close(order)).status, 204);
    assert.equal((await client.query(order)).trade_state, 'CLOSED');
    await emulator.refuses_payment('wechat', order);
    assert.equal((await client.query(order)).trade_state, 'CLOSED');
    await refused(client, client.native(order), 400, 'ORDER_CLOSED');
  },

  async a_paid_order_is_not_closed({ client, number }) {
    const order = number();
    await client.paid(order);
    await refused(client, client.close(order), 400, 'ORDERPAID');
    assert.equal((await client.query(order)).trade_state, 'SUCCESS');
    await refused(client, client.native(order), 400, 'ORDERPAID');
  },

  async an_expired_order_takes_no_money_and_is_not_closed({ client, emulator, number }) {
    const order = number();
    const ends = new Date(Date.now() + 60_000).toISOString().replace(/\.\d+Z/, '+00:00');
    await client.native(order, { fields: { time_expire: ends } });
    await emulator.clock({ advance_s: 61 });
    await emulator.refuses_payment('wechat', order);
    assert.equal((await client.query(order)).trade_state, 'NOTPAY');
    await client.close(order);
    assert.equal((await client.query(order)).trade_state, 'CLOSED');
  },

  async money_comes_in_at_the_moment_of_the_close({ client, emulator, number }) {
    const order = number();
    await client.native(order);
    await emulator.under({ pay_during_close: { times: 1 } }, () => refused(client, client.close(order), 400, 'ORDERPAID'));
    assert.equal((await client.query(order)).trade_state, 'SUCCESS');
  },

  async a_drivers_code_pays_at_once_or_says_why_not({ client, emulator, number }) {
    const [paid, waiting, poor, old] = [number(), number(), number(), number()];
    assert.equal((await codepay(client, paid, codes.paid)).data.trade_state, 'SUCCESS');
    await refused(client, codepay(client, waiting, codes.password), 202, 'USERPAYING');
    assert.equal((await client.query(waiting)).trade_state, 'USERPAYING');
    await emulator.pay('wechat', waiting);
    assert.equal((await client.query(waiting)).trade_state, 'SUCCESS');
    await refused(client, codepay(client, poor, codes.poor), 400, 'NOT_ENOUGH');
    await refused(client, codepay(client, old, codes.old), 400, 'AUTH_CODE_EXPIRED');
    assert.equal((await client.query(poor)).trade_state, 'PAYERROR');
  },

  async a_payment_by_code_is_reversed_with_its_money({ client, emulator, number }) {
    const [waiting, paid] = [number(), number()];
    const reverse = (order) => client.post(`v3/pay/transactions/out-trade-no/${order}/reverse`, { appid: client.appid, mchid: client.mchid });
    await refused(client, codepay(client, waiting, codes.password), 202, 'USERPAYING');
    const before = await emulator.totals('wechat');
    await reverse(waiting);
    await emulator.refuses_payment('wechat', waiting);
    await codepay(client, paid, codes.paid);
    await reverse(paid);
    await reverse(paid);
    assert.equal((await client.query(paid)).trade_state, 'REVOKED');
    const after = await emulator.totals('wechat');
    assert.deepEqual([after.captured - before.captured, after.refunded - before.refunded, after.fees - before.fees], [500, 500, 0]);
  },
};

// Owns how a judge speaks with the emulator beside the providers' own calls: as phone, console, clock and misfortune.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const real = Date.now;
// Long enough for a busy machine; nothing waits as long when all is well.
export const PATIENCE_MS = 10000;

export class Emulator {
  constructor(address, keys) {
    this.address = address;
    this.folder = keys;
    this.client = JSON.parse(this.file('client.json'));
  }

  file(name) { return readFileSync(path.join(this.folder, name), 'utf8'); }

  async ask(name, query = {}) { return this.#answer(await fetch(`${this.address}/admin/${name}?${new URLSearchParams(query)}`)); }

  async tell(name, body) { return this.#answer(await this.attempt(name, body)); }

  // The same without complaint: for what may be refused.
  async attempt(name, body) {
    return fetch(`${this.address}/admin/${name}`, { method: 'POST', body: JSON.stringify(body) });
  }

  async #answer(response) {
    const shown = await response.json();
    assert.equal(response.status, 200, JSON.stringify(shown));
    return shown;
  }

  // Moves the emulator's clock, and with it the time that the libraries of this process see.
  async clock(move) {
    const { timestamp } = await this.tell('clock', move);
    const offset = timestamp * 1000 - real();
    Date.now = () => real() + offset;
    return (await this.ask('clock')).now;
  }

  // Runs with these faults and no others, then with none.
  async under(faults, act) {
    await this.tell('faults', { only: faults });
    try { return await act(); } finally { await this.tell('faults', { only: {} }); }
  }

  pay(provider, order) { return this.tell('pay', { provider, order }); }

  async refuses_payment(provider, order) {
    const response = await this.attempt('pay', { provider, order });
    assert.equal(response.status, 400, `${order} takes money`);
  }

  async totals(provider, day) {
    const merchant = provider === 'wechat' ? this.client.wechat.mchid : this.client.alipay.seller_id;
    const none = { captured: 0, captured_count: 0, refunded: 0, refunded_count: 0, fees: 0, net: 0 };
    return (await this.ask('totals', day ? { day } : {}))[provider]?.[merchant] ?? none;
  }
}

// Asks again until there is something to see.
export async function eventually(what, look) {
  const until = real() + PATIENCE_MS;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    assert.ok(real() < until, `${what}: not seen within ${PATIENCE_MS} ms`);
    await new Promise((wake) => { setTimeout(wake, 10); });
  }
}

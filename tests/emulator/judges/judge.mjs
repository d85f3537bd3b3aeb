// The judges: `JUDGE_PACKAGES=DIR node judge.mjs wechat|alipay ADDRESS KEYS [--stop-at-first] [--begin-with=PART]`.
// Prints `pass NAME` or `FAIL NAME: reason` for each check; exit code 0 when all pass.

import { Emulator } from './emulator.mjs';
import { Listener } from './listener.mjs';

const [provider, address, keys, ...options] = process.argv.slice(2);
const PARTS = {
  wechat: ['wechat_orders', 'wechat_refunds', 'wechat_callbacks', 'wechat_answers', 'wechat_statements'],
  alipay: ['alipay_orders', 'alipay_refunds', 'alipay_callbacks', 'alipay_statements'],
};
const LONGEST_CHECK_MS = 15000;

async function judged(check, bench) {
  let timer;
  const late = new Promise((_, fail) => { timer = setTimeout(() => fail(new Error('took too long')), LONGEST_CHECK_MS); });
  try {
    await Promise.race([check(bench), late]);
    return null;
  } catch (fault) {
    return String(fault?.message ?? fault).split('\n').filter(Boolean).slice(0, 30).join(' ').slice(0, 600);
  } finally {
    clearTimeout(timer);
  }
}

const emulator = new Emulator(address, keys);
const listener = await Listener.start();
const started = Math.random().toString(36).slice(2, 8);
let count = 0;
const bench = { emulator, listener, number: () => `J${started}${String(count += 1).padStart(5, '0')}` };
let failed = 0;
let passed = 0;
await emulator.clock({});

const begins = options.find((option) => option.startsWith('--begin-with='))?.slice(13);
const parts = [...PARTS[provider]].sort((one, other) => (other === begins) - (one === begins));

all: for (const part of parts) {
  const { checks, open } = await import(`./${part}.mjs`);
  const tools = { ...bench, ...open(bench) };
  for (const [name, check] of Object.entries(checks)) {
    listener.answers = () => [200, 'success'];
    const reason = await judged(check, tools);
    console.log(reason === null ? `pass ${name}` : `FAIL ${name}: ${reason}`);
    if (reason === null) passed += 1; else failed += 1;
    if (failed && options.includes('--stop-at-first')) break all;
  }
}
listener.stop();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);

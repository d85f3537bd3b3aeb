// The judges: `JUDGE_PACKAGES=DIR node judge.mjs wechat|alipay KEYS [--stop-at-first] ADDRESS[,PART] ...`.
// Looks at each emulator, beginning with that part; prints `judging ADDRESS`, then `pass NAME` or `FAIL NAME: reason` for each
// check. Exit code 0 when all pass.

import { Emulator } from './emulator.mjs';
import { Listener } from './listener.mjs';

const [provider, keys, ...rest] = process.argv.slice(2);
const targets = rest.filter((word) => !word.startsWith('--'));
const options = { stop_at_first: rest.includes('--stop-at-first') };
const PARTS = {
  wechat: ['wechat_orders', 'wechat_refunds', 'wechat_callbacks', 'wechat_answers', 'wechat_statements'],
  alipay: ['alipay_orders', 'alipay_refunds', 'alipay_callbacks', 'alipay_statements'],
};
const LONGEST_CHECK_MS = 30000;

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

async function judge(address, begins) {
  const emulator = new Emulator(address, keys);
  const listener = await Listener.start();
  const started = Math.random().toString(36).slice(2, 8);
  let count = 0;
  const bench = { emulator, listener, number: () => `J${started}${String(count += 1).padStart(5, '0')}` };
  const verdict = { passed: 0, failed: 0 };
  await emulator.clock({});
  try {
    for (const part of [...PARTS[provider]].sort((one, other) => (other === begins) - (one === begins))) {
      const { checks, open } = await import(`./${part}.mjs`);
      const tools = { ...bench, ...open(bench) };
      for (const [name, check] of Object.entries(checks)) {
        listener.answers = () => [200, 'success'];
        const reason = await judged(check, tools);
        console.log(reason === null ? `pass ${name}` : `FAIL ${name}: ${reason}`);
        verdict[reason === null ? 'passed' : 'failed'] += 1;
        if (verdict.failed && options.stop_at_first) return verdict;
      }
    }
    return verdict;
  } finally {
    listener.stop();
  }
}

let well = targets.length > 0;
for (const target of targets) {
  const [address, begins] = target.split(',');
  console.log(`judging ${address}`);
  const { passed, failed } = await judge(address, begins);
  console.log(`${passed} passed, ${failed} failed`);
  well = well && passed > 0 && failed === 0;
}
process.exit(well ? 0 : 1);

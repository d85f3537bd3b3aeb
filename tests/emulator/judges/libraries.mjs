// Owns where the independent libraries come from: a folder outside the source tree, named by JUDGE_PACKAGES.

import { createRequire } from 'node:module';
import path from 'node:path';

const folder = process.env.JUDGE_PACKAGES;
if (!folder) throw new Error('JUDGE_PACKAGES must name the folder above node_modules');
const require = createRequire(path.join(path.resolve(folder), 'from-here.js'));

export const { Wechatpay, Rsa, Aes, Formatter, Hash } = require('wechatpay-axios-plugin');
export const { AlipaySdk } = require('alipay-sdk');

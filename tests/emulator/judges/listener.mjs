// Owns the merchant's side of callbacks: keeps what comes, answers as it is told. It must not know what stands in one.

import http from 'node:http';
import { once } from 'node:events';
import { eventually } from './emulator.mjs';

export class Listener {
  #server;

  #came = [];

  // Given what came and how often for its path; gives [status, body].
  answers = () => [200, 'success'];

  static async start() {
    const listener = new Listener();
    listener.#server = http.createServer((request, response) => {
      const parts = [];
      request.on('data', (part) => parts.push(part));
      request.on('end', () => {
        const callback = { path: request.url, headers: request.headers, body: Buffer.concat(parts).toString() };
        listener.#came.push(callback);
        const [status, body] = listener.answers(callback, listener.at(callback.path).length);
        response.writeHead(status).end(body);
      });
    });
    listener.#server.listen(0, '127.0.0.1');
    await once(listener.#server, 'listening');
    return listener;
  }

  url(path) { return `http://127.0.0.1:${this.#server.address().port}${path}`; }

  at(path) { return this.#came.filter((callback) => callback.path === path); }

  async wait(path, count = 1) {
    return eventually(`${count} callbacks at ${path}`, () => this.at(path).length >= count && this.at(path));
  }

  stop() { this.#server.closeAllConnections(); this.#server.close(); }
}

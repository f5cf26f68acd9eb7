// Owns one request on a socket of its own: sent whole, read whole or left in the middle.
// Refuses to know what is asked and which answer is right.

import { request } from 'node:http';

export interface Got {
  readonly status: number;
  readonly text: string;
  /** The client left before the answer was over. */
  readonly left: boolean;
}
export interface Asking {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH';
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string | Buffer;
  readonly type?: string;
  /** Go after so many frames of the answer; 0: as soon as the request is sent. */
  readonly leaveAfter?: number;
}

/** Rejects when the connection breaks and the client has not left. */
export function ask(url: string, path: string, { method, body, raw, type = 'application/json', leaveAfter = Infinity }: Asking = {}): Promise<Got> {
  const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  return new Promise((resolve, reject) => {
    let [text, left, frames] = ['', false, 0];
    const headers = payload === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(payload) };
    const call = request(`${url}${path}`, { method: method ?? (payload === undefined ? 'GET' : 'POST'), agent: false, headers }, (response) => {
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
        frames += piece.split('\n\n').length - 1;
        if (frames < leaveAfter) return;
        left = true;
        response.destroy();
      });
      response.on('error', (error) => (left ? undefined : reject(error)));
      response.once('close', () => (left || response.complete ? resolve({ status: response.statusCode ?? 0, text, left }) : reject(new Error(`the answer of ${path} was cut short`))));
    });
    call.once('error', (error) => (left ? resolve({ status: 0, text, left }) : reject(error)));
    call.end(payload, () => {
      if (leaveAfter > 0) return;
      left = true;
      setTimeout(() => call.destroy(new Error('left')), 5);
    });
  });
}

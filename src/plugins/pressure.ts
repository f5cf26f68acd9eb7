// Owns refusing work when the event loop cannot keep up.
// Refuses to know memory (model weights would count) and generations (the scheduler admits those).

import fp from 'fastify-plugin';
import underPressure from '@fastify/under-pressure';
import { HttpError } from '../http/problems.ts';

const MESSAGE = 'Pharos cannot keep up with its requests; try again in a moment';

export const pressure = fp(
  async (app, { eventLoopDelayMs }: { readonly eventLoopDelayMs: number }) => {
    if (eventLoopDelayMs === 0) return;
    await app.register(underPressure, {
      maxEventLoopDelay: eventLoopDelayMs,
      pressureHandler: (request, _reply, _type, delay) => {
        // Nothing was measured: the loop had not turned twice since the last look, as while the service starts.
        if (delay === Number.POSITIVE_INFINITY) return;
        // Who watches has to see it.
        const watching = request.routeOptions.config.open === true || request.routeOptions.url === '/metrics';
        if (!watching) throw new HttpError('overloaded', MESSAGE);
      },
    });
  },
  { name: 'pressure' },
);

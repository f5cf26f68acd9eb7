// Owns the description of the API: OpenAPI made from the routes' contract, and pages to read it.
// Refuses to know the routes; everything comes with the package, nothing from a network.

import { readFileSync } from 'node:fs';
import fp from 'fastify-plugin';
import swagger from '@fastify/swagger';
import scalar from '@scalar/fastify-api-reference';
import { Document, visit } from 'yaml';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { tidy } from '../http/openapi.ts';
import { openApiTransform, openApiTransformObject } from '../http/provider.ts';

const packageSchema = z.object({ version: z.string(), description: z.string() });
export const PACKAGE = packageSchema.parse(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')));

const DESCRIPTION = `${PACKAGE.description}

Every error has the body of OpenAI's API, \`{"error": {"message", "type", "param", "code"}}\`; under the paths of Anthropic's API, of that one. Lists are paged by \`limit\` and \`cursor\`.
DeepSeek's clients find their paths without \`/v1\` and under \`/beta\`, Anthropic's under \`/anthropic\`, too. Where the server has API keys, send \`Authorization: Bearer KEY\` or \`x-api-key: KEY\`.`;

const TAGS = [
  { name: 'generation', description: 'Questions, answers and text.' },
  { name: 'knowledge', description: 'Facts, names and rules.' },
  { name: 'reasoning', description: 'What follows, and why.' },
  { name: 'training', description: 'Files, and models fine-tuned on them or on a knowledge base.' },
  { name: 'operation', description: 'Health, numbers, this description.' },
];

export const docs = fp(
  async (app) => {
    app.addHook('onRoute', (route) => {
      if (route.url.startsWith('/docs')) route.config = { ...route.config, open: true };
    });
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Pharos',
          description: DESCRIPTION,
          version: PACKAGE.version,
          license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
        },
        tags: TAGS,
        components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' }, header: { type: 'apiKey', in: 'header', name: 'x-api-key' } } },
        security: [{}, { key: [] }, { header: [] }],
      },
      transform: openApiTransform,
      transformObject: openApiTransformObject,
    });
    // Called without `cdn`, the page loads its one script from beside itself.
    await app.register(scalar, {
      routePrefix: '/docs',
      configuration: { url: '/openapi.yaml', pageTitle: 'Pharos', withDefaultFonts: false, telemetry: false, hideClientButton: true },
    });
  },
  { name: 'docs' },
);

/** Texts that are none to readers of YAML 1.1, of which there are many: yes, on, 12:30, 2024-03-01, 1_000, and a lone = . */
const NO_TEXT_OF_OLD = /^(?:[=~]|<<|y|n|yes|no|on|off|[-+.]?\d[\w.:+ -]*|[-+]?\.\w+)$/i;
/** The OpenAPI document as it is committed and served. */
export function openApiYaml(app: FastifyInstance): string {
  const document = new Document(tidy(app.swagger()), { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'string' && NO_TEXT_OF_OLD.test(node.value)) node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 160 });
}

// Owns /v1/rules: store, list, check and remove rules; their earlier versions.
// Refuses to know the language that they are written in.

import { baseOf, errors, KEEP_ERRORS, WRITE_ERRORS } from '../../src/contract/common.ts';
import {
  addReply,
  addRules,
  baseQuery,
  checkReply,
  checkRules,
  idParams,
  listQuery,
  mistakeWire,
  removeReply,
  removeSetQuery,
  removeSetReply,
  restoreReply,
  restoreRules,
  ruleList,
  ruleSetsWire,
  ruleWire,
  versionList,
  versionsQuery,
  versionWire,
} from '../../src/contract/rules.ts';
import { oneBase } from '../../src/http/base.ts';
import { descending, pageOf } from '../../src/http/paging.ts';
import type { RoutePlugin } from '../../src/http/provider.ts';

export default (async (app) => {
  app.route({
    method: 'GET',
    url: '/rules',
    schema: {
      operationId: 'listRules',
      summary: 'Rules that are stored, or were in an earlier version',
      tags: ['knowledge'],
      querystring: listQuery,
      response: { 200: ruleList, ...errors(404) },
    },
    handler: async ({ query }) => {
      const book = await app.knowledge.ruleBook(baseOf(query.knowledge_base), query.version);
      return { ...pageOf(book.rules.map(ruleWire), ({ id }) => id, query), version: book.version, rule_sets: ruleSetsWire(book) };
    },
  });
  app.route({
    method: 'GET',
    url: '/rules/versions',
    schema: {
      operationId: 'listRuleVersions',
      summary: 'Versions of the knowledge base in which its rules changed, latest first',
      tags: ['knowledge'],
      querystring: versionsQuery,
      response: { 200: versionList, ...errors() },
    },
    handler: async ({ query }) => {
      const versions = await app.knowledge.ruleVersions(baseOf(query.knowledge_base));
      return pageOf(versions.map(versionWire), ({ version }) => descending(version), query);
    },
  });
  app.route({
    method: 'POST',
    url: '/rules/restore',
    schema: {
      operationId: 'restoreRules',
      summary: 'Make the rules what they were in an earlier version, as a new version',
      tags: ['knowledge'],
      querystring: baseQuery,
      body: restoreRules,
      response: { 200: restoreReply, ...errors(404, ...KEEP_ERRORS) },
    },
    handler: async ({ query, body }) => {
      const base = oneBase(query.knowledge_base, body.knowledge_base);
      const { added, removed, ruleSets, derived, noLongerDerived, version, partial } = await app.knowledge.restoreRules(base, body.version);
      return {
        restored: body.version,
        added: added.map(ruleWire),
        removed: removed.map(ruleWire),
        rule_sets: [...ruleSets],
        derived,
        no_longer_derived: noLongerDerived,
        version,
        ...(partial === undefined ? {} : { partial }),
      };
    },
  });
  app.route({
    method: 'POST',
    url: '/rules',
    schema: {
      operationId: 'addRules',
      summary: 'Store rules, all or none, or take a built-in rule set into use, and derive what follows',
      tags: ['knowledge'],
      querystring: baseQuery,
      body: addRules,
      response: { 200: addReply, ...errors(...KEEP_ERRORS) },
    },
    handler: async ({ query, body }) => {
      const base = oneBase(query.knowledge_base, body.knowledge_base);
      const { rules, derived, version, partial } = await (body.rule_set === undefined
        ? app.knowledge.addRules(base, body.rules, body)
        : app.knowledge.useRuleSet(base, body.rule_set));
      return { rules: rules.map(ruleWire), derived, version, ...(partial === undefined ? {} : { partial }) };
    },
  });
  app.route({
    method: 'POST',
    url: '/rules/validate',
    schema: {
      operationId: 'validateRules',
      summary: 'What storing these rules would say; nothing is stored',
      tags: ['knowledge'],
      querystring: baseQuery,
      body: checkRules,
      response: { 200: checkReply, ...errors(...WRITE_ERRORS) },
    },
    handler: async ({ query, body }) => {
      const { valid, rules, errors: mistakes } = await app.knowledge.validateRules(oneBase(query.knowledge_base, body.knowledge_base), body.rules, body);
      return { valid, rules: rules.map(ruleWire), errors: mistakes.map(mistakeWire) };
    },
  });
  app.route({
    method: 'DELETE',
    url: '/rules',
    schema: {
      operationId: 'removeRuleSet',
      summary: 'Take a built-in rule set out of use, with what only it derived',
      tags: ['knowledge'],
      querystring: removeSetQuery,
      response: { 200: removeSetReply, ...errors(429, 507) },
    },
    handler: async ({ query }) => {
      const { noLongerDerived, version, partial } = await app.knowledge.useRuleSet(baseOf(query.knowledge_base), query.rule_set, false);
      return { removed: query.rule_set, no_longer_derived: noLongerDerived, version, ...(partial === undefined ? {} : { partial }) };
    },
  });
  app.route({
    method: 'DELETE',
    url: '/rules/:id',
    schema: {
      operationId: 'removeRule',
      summary: 'Remove a rule and what only it derived',
      tags: ['knowledge'],
      params: idParams,
      querystring: baseQuery,
      response: { 200: removeReply, ...errors(404, 429, 507) },
    },
    handler: async ({ params, query }) => {
      const { rule, noLongerDerived, version, partial } = await app.knowledge.removeRule(baseOf(query.knowledge_base), params.id);
      return { removed: ruleWire(rule), no_longer_derived: noLongerDerived, version, ...(partial === undefined ? {} : { partial }) };
    },
  });
}) satisfies RoutePlugin;

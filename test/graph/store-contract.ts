// Owns the contract of the GraphStore port: one body of tests that every adapter must pass.
// Refuses to know any adapter; it gets a way to create one and to open its data again.

import type { Test } from 'tap';
import { factsContract } from '../helpers/store-facts.ts';
import { randomContract } from '../helpers/store-random.ts';
import { searchContract } from '../helpers/store-search.ts';
import { walksContract } from '../helpers/store-walks.ts';
import type { CreateStore } from '../helpers/store-world.ts';

/**
 * Runs the contract as one subtest `name`. `create` gives an open, empty store, anew for each test of the contract; `reopen` closes it and opens
 * another over the same data; `destroy` closes what is open (closing twice must be harmless) and removes the data.
 */
export function storeContract(t: Test, name: string, create: CreateStore): Promise<unknown> {
  return t.test(name, async (contract) => {
    const part = async (sentence: string, body: Parameters<Parameters<typeof factsContract>[0]>[1]): Promise<void> => {
      await contract.test(sentence, async (one) => {
        const world = await create();
        one.teardown(() => world.destroy());
        await body(one, world);
      });
    };
    await factsContract(part);
    await searchContract(part);
    await walksContract(part);
    await randomContract(part);
  });
}

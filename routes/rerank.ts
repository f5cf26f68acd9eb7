// Owns POST /rerank, for clients that leave out /v1.
// Refuses to know what is answered there: that is routes/v1/rerank.ts.

import routes from './v1/rerank.ts';
import { also } from '../src/http/aliases.ts';

export default also(routes, 'WithoutVersion', 'without /v1');

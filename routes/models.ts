// Owns GET /models, for clients that leave out /v1, as DeepSeek's do.
// Refuses to know what is answered there: that is routes/v1/models.ts.

import routes from './v1/models.ts';
import { also } from '../src/http/aliases.ts';

export default also(routes, 'WithoutVersion', 'without /v1');

// Owns POST /beta/completions, where DeepSeek's clients send a `suffix`.
// Refuses to know what is answered there: that is routes/v1/completions.ts.

import routes from '../v1/completions.ts';
import { also } from '../../src/http/aliases.ts';

export default also(routes, 'Beta', 'under /beta, as DeepSeek has it');

// Owns POST /beta/chat/completions, where DeepSeek's clients send a last message with `prefix: true`.
// Refuses to know what is answered there: that is routes/v1/chat/completions.ts.

import routes from '../../v1/chat/completions.ts';
import { also } from '../../../src/http/aliases.ts';

export default also(routes, 'Beta', 'under /beta, as DeepSeek has it');

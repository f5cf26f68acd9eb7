// Owns POST /anthropic/v1/messages, for Anthropic's clients with a base address of their own.
// Refuses to know what is answered there: that is routes/v1/messages.ts.

import routes from '../../v1/messages.ts';
import { also } from '../../../src/http/aliases.ts';

export default also(routes, 'Anthropic', 'under /anthropic');

// One half of the table of decoders; fuzz.ts says what is done to them.

import { fuzzEverySecond } from './fuzz.ts';

fuzzEverySecond(0);

import { lookAt, openLook } from '../look.ts';
import { consoleSamples } from './every-sample.ts';

lookAt(openLook(), consoleSamples);

import { setFlagsFromString } from 'node:v8'

/**
 * Keeps the memory of new objects at the size it starts with. V8 would let it grow to 64 MB in a process that makes and
 * drops as many objects a second as one does that hands out jobs; a million jobs then need 240 MB instead of 185, and
 * not one second less. For a process that only hands out: one that executes keeps jobs for longer, and would spend twice
 * the time collecting.
 */
export function keepYoungGenerationSmall(): void {
  // Its largest size can be set on Node's command line only; how it grows, at any time.
  setFlagsFromString('--semi-space-growth-factor=1')
}

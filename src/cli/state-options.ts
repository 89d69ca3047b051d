import type { Command } from 'commander'

/** Options of commands that look at the state folder and join no mesh. */
export interface StateOptions {
  dir?: string
  json?: boolean
}

export function addStateOptions(command: Command): Command {
  return command
    .option('--dir <folder>', "folder of a node's state (default: DIST_NODE_DIR, else the XDG state folder)")
    .option('--json', 'print one JSON object per line')
}

/** The memory of this process holds keys made from the password: closes the ways in which others could get to see it. */
export function guardMemory(): void {
  // Node opens its debugger, and with it the memory of this process, for whoever may send this signal.
  process.on('SIGUSR1', () => undefined)
  try {
    // Linux: after a crash no memory is written into the core file, only registers. Its children inherit this.
    process.getBuiltinModule('node:fs').writeFileSync('/proc/self/coredump_filter', '0')
  } catch {
    // Another system, or a kernel without core files.
  }
}

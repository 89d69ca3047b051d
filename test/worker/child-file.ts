/** The child entry that test/global-setup.ts built; processes that tests start inherit the name. */
export async function childFile(): Promise<string> {
  const file = process.env['DIST_NODE_TEST_CHILD']
  if (file === undefined)
    throw new Error('expected DIST_NODE_TEST_CHILD to be set by test/global-setup.ts: run vitest')
  return file
}

/** The jobs file of the cold start. */
export default [(): number => 1]

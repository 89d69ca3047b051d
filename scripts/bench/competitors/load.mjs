// Imports from here find this folder's node_modules.
export const load = (name) => import(name)

/** What runs the workflow. `enterprise`: GitHub on a host of its own, which has not all services of github.com. */
export type Forge = 'github' | 'enterprise' | 'gitea' | 'forgejo'

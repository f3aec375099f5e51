/** One way in which a server, or git itself, refuses. */
export type Refusal = {
  /** Looked for in all that git printed; what the server said stands in lines that begin with `remote:`. */
  readonly rule: RegExp
  readonly code: 'branch-rejected' | 'branch-too-large' | 'disk-full'
  readonly title: string
  readonly hint: string
  /** How often in all it may be tried, where the reason may pass. */
  readonly tries?: number
}

const unreachableWords = {
  code: 'branch-rejected',
  title: 'The git server cannot be reached',
  hint: 'Run the job again; see githubstatus.com. On a self-hosted runner check the network, the proxy and its certificates.',
} as const

/** git waits three minutes for the next byte. */
const stalled: Refusal = { ...unreachableWords, rule: /Operation too slow|timed out/i, tries: 2 }

/** curl's words for a broken connection come after the address, as a status does. The rules before this one take what another try cannot mend. */
const unreachable: Refusal = {
  ...unreachableWords,
  rule: /unable to access '[^']*': (?!The requested URL returned error)|returned error: (408|429|5\d\d)|Could not resolve|Connection (refused|reset)|Empty reply|RPC failed|unexpected disconnect|early EOF|hung up|bad line length|bad pack header|protocol error|invalid index-pack output|expected flush|expected '(acknowledgments|packfile)'/i,
  tries: 5,
}

const certificate: Refusal = {
  rule: /certificate problem|certificate verif|certificate (signer|issuer)|error setting certificate|server certificate/i,
  code: 'branch-rejected',
  title: 'The certificate of the git server is not trusted',
  hint: 'Name the certificate of your proxy or server in NODE_EXTRA_CA_CERTS, or in git’s own setting http.sslCAInfo on the runner.',
}

const proxy: Refusal = {
  rule: /Proxy CONNECT aborted|CONNECT tunnel failed|from proxy after CONNECT|Could not resolve proxy/i,
  code: 'branch-rejected',
  title: 'The proxy does not let git through',
  hint: 'Check the address, user name and password in HTTPS_PROXY, or in git’s own setting http.proxy on the runner, and that the proxy allows this host; or list the host in NO_PROXY.',
  tries: 5,
}

/** What came is not what was stored, or is missing. Another try may reach a copy of the server that is up to date. */
export const damaged: Refusal = {
  rule: /possible repository corruption|not our ref|did not send all necessary objects|(Could not|unable to) read [0-9a-f]{40}|pack has bad object|pack is corrupted|inflate returned|inflate inconsistency/i,
  code: 'branch-rejected',
  title: 'The server does not give back what it took',
  hint: 'Run the job again. If it comes back, the repository on the server is damaged: its words say where.',
  tries: 5,
}

export const notFound: Refusal = {
  rule: /Repository not found|repository '.*' not found|not found: did you run git update-server-info|returned error: 404/i,
  code: 'branch-rejected',
  title: 'The repository is not there for this token',
  hint: 'Check `repository` letter by letter. GitHub says the same where the token has no access: the workflow’s own token knows its own repository only, so set `github-token` to one that may write there.',
}

export const forbidden: Refusal = {
  rule: /Permission to .* denied|Write access to repository not granted|returned error: 403|Resource not accessible/i,
  code: 'branch-rejected',
  title: 'The token may not write to the repository',
  hint: 'Give the job `permissions: contents: write`. For another repository (`repository`) set `github-token` to a token that may write there: the workflow’s own token cannot. A repository that is archived takes nothing.',
}

export const forbiddenToRead: Refusal = {
  ...forbidden,
  title: 'The token may not read the repository',
  hint: 'Give the job `permissions: contents: write`. For another repository (`repository`) set `github-token` to a token that may read and write there; one of an organization with single sign-on must be authorized for it. Look also whether the organization allows only certain addresses.',
}

export const rewriting: Refusal = {
  rule: /denying non-fast-forward|Cannot force-push/i,
  code: 'branch-rejected',
  title: 'The server forbids rewriting the branch',
  hint: '`keep-last` rewrites the history of the branch. Set `keep-last: 0`, or allow force pushes to this branch: on GitHub in its rule, on another server with `receive.denyNonFastForwards` set to false.',
}

/** The first that fits tells. GitHub's texts: docs.github.com, "About protected branches", "About large files on GitHub". */
export const refusals: readonly Refusal[] = [
  {
    rule: /pack exceeds maximum allowed size|HTTP 413|returned error: 413/,
    code: 'branch-too-large',
    title: 'The push is too large for GitHub',
    hint: 'GitHub takes 2 GiB in one push, and a proxy may take less. If the documents alone fit, let the first night run with `include-assets: false` and the next ones with assets. Otherwise use `destination: artifact`.',
  },
  {
    rule: /^remote:.*(No space left on device|Disk quota exceeded|Out of diskspace)|unpack failed|unpacker error/im,
    code: 'branch-rejected',
    title: 'The server could not take in what was pushed',
    hint: 'Its words say why; often its own disk is full. Run the job again. If it comes back, ask whoever runs the server, or use `destination: artifact`.',
    tries: 3,
  },
  {
    rule: /No space left on device|Disk quota exceeded|Out of diskspace/i,
    code: 'disk-full',
    title: 'The disk is full',
    hint: 'Free disk space before this step, let `path` point to a larger disk, or use a runner with more room: a branch needs about the compressed size of the snapshot twice.',
  },
  {
    rule: /GH001|exceeds GitHub's file size limit/,
    code: 'branch-too-large',
    title: 'A file is too large for GitHub',
    hint: 'Leave the document or asset out (`exclude-ids`, `include-assets: false`), or use `destination: artifact`, which takes files of any size.',
  },
  rewriting,
  {
    rule: /GH013|repository rule violations|GH009|Push cannot contain secrets/,
    code: 'branch-rejected',
    title: 'A rule of the repository forbids the push',
    hint: 'Open Settings, Rules, Rulesets and exclude this branch from the rule that GitHub names. The workflow’s own token cannot be put on a list of exceptions. If it is about secrets in documents: remove them in Sanity, leave the documents out with `exclude-ids`, or switch push protection off for this repository.',
  },
  {
    rule: /GH006|protected branch/i,
    code: 'branch-rejected',
    title: 'The branch is protected',
    hint: 'Open Settings, Branches and let no protection rule match this branch, or name another one in `branch`.',
  },
  forbidden,
  {
    rule: /could not read (Username|Password)|Authentication failed|Invalid username or (password|token)|returned error: 401|Bad credentials/i,
    code: 'branch-rejected',
    title: 'GitHub does not accept the token',
    hint: 'Leave `github-token` at its default, or make a new token: the one that is set has expired, was revoked, or is no token of this server.',
  },
  notFound,
  {
    rule: /unable to update url base from redirection|returned error: 30[1278]/,
    code: 'branch-rejected',
    title: 'The repository has moved',
    hint: 'It was renamed or given to another owner: write its new name into `repository`. Where that is not set, check GITHUB_SERVER_URL. The token is not sent along to another address.',
  },
  {
    rule: /Duplicate header|returned error: (400|411)/,
    code: 'branch-rejected',
    title: 'GitHub does not understand the request',
    hint: 'Something between this runner and GitHub changes requests. Check the proxy.',
  },
  {
    rule: /does not support --atomic/,
    code: 'branch-rejected',
    title: 'The server moves no two refs at once',
    hint: 'Update the git of the server.',
  },
  certificate,
  proxy,
  damaged,
  stalled,
  unreachable,
]

export const unknownRefusal: Refusal = {
  rule: /./,
  code: 'branch-rejected',
  title: 'The server refused the push',
  hint: 'Its words say why. Name another branch in `branch`, or use `destination: artifact` until it is settled.',
}

export const unknownFailure: Refusal = {
  rule: /./,
  code: 'branch-rejected',
  title: 'git could not speak with the server',
  hint: 'Run the job again; see githubstatus.com. If it comes back, report it with these words.',
}

/** Shows in Sanity's request logs, and nowhere else, for whoever asks where the load came from. Rules: @sanity/client src/validators.ts. */
export const tag = 'sanity-backup.restore'

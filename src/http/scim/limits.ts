/** The largest Bulk request: so many operations, in so many bytes (RFC 7644, section 3.7.4). */
export const bulkLimits = { operations: 1000, bytes: 1024 * 1024 } as const;
/** The largest body of any other. */
export const bodyLimit = 1024 * 1024;

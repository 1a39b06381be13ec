/** The topics on which a query's answer depends; see `/v1.0/live`. */
export const topicsOf = (meta: Readonly<Record<string, unknown>> | undefined): readonly string[] =>
  (meta?.topics ?? []) as readonly string[];

/** Topics that change what a query has answered; see `/v1.0/live`. */
export const topicsOf = (meta: Readonly<Record<string, unknown>> | undefined): readonly string[] =>
  (meta?.topics ?? []) as readonly string[];

/** The outcome of a campaign with a bad update. */
export interface CampaignEnd {
  readonly stopped: boolean;
  /** Vehicles that had started when it was stopped. */
  readonly exposed: number;
  /** Of these, vehicles that the update damages, sooner or later. */
  readonly damaged: number;
  /** Vehicles after the one at which the test decided to stop, beyond the cap; 0 without a guard. */
  readonly beyondCap: number;
}

/** What a campaign with a bad update came to. */
export interface CampaignEnd {
  readonly stopped: boolean;
  /** Vehicles that had started when it was stopped. */
  readonly exposed: number;
  /** Of these, vehicles that the update damages, sooner or later. */
  readonly damaged: number;
  /** Most vehicles that had started and had no result beyond what the cap allows. */
  readonly beyondCap: number;
}

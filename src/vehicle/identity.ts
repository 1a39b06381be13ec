/** The identity of a vehicle at the broker. */
export interface VehicleIdentity {
  readonly vin: string;
  readonly systemId: string;
  readonly deviceId: string;
  readonly ecuType: string;
}

/** Who a vehicle is to the message platform. */
export interface VehicleIdentity {
  readonly vin: string;
  readonly systemId: string;
  readonly deviceId: string;
  readonly ecuType: string;
}

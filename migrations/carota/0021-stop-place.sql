-- After the vehicle at which the current test may still stop, no more vehicles are exposed than the cap allows.
alter table schedules
  add column stop_place integer; -- its place in the order of exposure; null: the test cannot stop with the vehicles exposed so far

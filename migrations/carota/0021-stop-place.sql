-- Behind the vehicle with which the test in course may yet decide to stop, no more are exposed than the cap allows.
alter table schedules
  add column stop_place integer; -- its place in the order of exposure; null: the test cannot stop with the vehicles exposed so far

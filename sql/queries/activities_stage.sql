-- actions of bands that leads entered in this slice
create temporary table staged_activities (like activities including defaults) on commit drop

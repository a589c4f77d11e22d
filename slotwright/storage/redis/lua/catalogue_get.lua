-- project, queue. Answers the pool, or nil.
return pool_of(ARGV[1], ARGV[2])

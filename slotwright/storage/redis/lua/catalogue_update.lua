-- project, queue, pool
if not pool_of(ARGV[1], ARGV[2]) then
    return {'missing'}
end

call('HSET', ARGV[1] .. '.' .. ARGV[2] .. '.catalogue', 'p_p', ARGV[3])
return {'ok'}

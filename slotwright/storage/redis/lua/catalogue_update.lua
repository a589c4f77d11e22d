-- project, queue, pool
local key = entry_key(ARGV[1], ARGV[2])
if not key then
    return {'missing'}
end

call('HSET', key, 'p_p', ARGV[3])
return {'ok'}

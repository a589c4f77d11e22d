-- project, queue, pool
local entry = ARGV[1] .. '.' .. ARGV[2]
if not call('ZSCORE', 'catalogue', entry) then
    return {'missing'}
end
local fields = call('HMGET', entry .. '.catalogue', 'p', 'p_q')
if fields[1] ~= ARGV[1] or fields[2] ~= ARGV[2] then
    return {'missing'}
end

call('HSET', entry .. '.catalogue', 'p_p', ARGV[3])
return {'ok'}

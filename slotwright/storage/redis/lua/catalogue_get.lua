-- project, queue
local entry = ARGV[1] .. '.' .. ARGV[2]
if not call('ZSCORE', 'catalogue', entry) then
    return {'missing'}
end
local fields = call('HMGET', entry .. '.catalogue', 'p', 'p_q', 'p_p')
if fields[1] ~= ARGV[1] or fields[2] ~= ARGV[2] then
    return {'missing'} -- "a.b"/"c" is there, "a"/"b.c" was asked for
end
return {'ok', fields[3]}

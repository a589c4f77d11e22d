-- project, queue
local project = ARGV[1]
local entry = project .. '.' .. ARGV[2]
guard('catalogue')
if not pool_of(project, ARGV[2]) then
    return {'ok'}
end
local owned = has_entries(project)

call('ZREM', 'catalogue', entry)
if owned then
    call('ZREM', project .. '.catalogue', entry)
end
call('DEL', entry .. '.catalogue')
return {'ok'}

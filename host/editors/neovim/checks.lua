-- What Neovim shows of `accredit lsp` while keys are typed: nvim --clean -l checks.lua NVIM DIRECTORY
--
-- A second Neovim, whose settings are under test, is driven over its own protocol, so that every key goes the
-- way of a key that is pressed. The directory is one of `accredit new --template insurance`.

local program, directory = arg[1], arg[2]

--- How long an answer may take before a check fails.
local PATIENCE_MS = 20000

local VALUE = "policies/value/first-year.rhai"
local ROLLUP = "policies/rollup/contract-difference.rhai"
local CASES = "policies/value/first-year.cases.md"

local command = { program, "--embed", "--headless", "-n", "-i", "NONE" }
local editor = vim.fn.jobstart(command, { rpc = true, cwd = directory })
assert(editor > 0, "Neovim does not start: " .. program)

-- A request that is not answered would wait for ever.
vim.uv.new_timer():start(10 * PATIENCE_MS, 0, function()
  io.stderr:write("the editor does not answer\n")
  os.exit(1)
end)

--- A request that comes while the editor waits for the rest of a command is not answered before the next key.
local function until_idle()
  local stop = vim.uv.hrtime() + PATIENCE_MS * 1e6
  while vim.rpcrequest(editor, "nvim_get_mode").blocking do
    if vim.uv.hrtime() > stop then
      error("the editor waits for a key", 0)
    end
    vim.wait(20)
  end
end

--- The value of a chunk of Lua in the editor.
local function ask(code, ...)
  until_idle()
  return vim.rpcrequest(editor, "nvim_exec_lua", code, { ... })
end

local function press(keys)
  vim.rpcrequest(editor, "nvim_input", keys)
end

--- Everything that the editor has told, `vim.notify` among it.
local function told()
  until_idle()
  return vim.rpcrequest(editor, "nvim_exec2", "messages", { output = true }).output
end

local function until_found(what, look)
  local stop = vim.uv.hrtime() + PATIENCE_MS * 1e6
  repeat
    local found = look()
    if found then
      return found
    end
    vim.wait(20)
  until vim.uv.hrtime() > stop
  error(("nothing came: %s\nThe editor told:\n%s"):format(what, told()), 0)
end

local function check(what, holds, found)
  if not holds then
    error(("%s\nFound: %s\nThe editor told:\n%s"):format(what, vim.inspect(found), told()), 0)
  end
end

local function clients()
  return ask("return #vim.lsp.get_clients({ bufnr = 0, name = 'accredit' })")
end

--- Opens a file of the directory; its client has been started.
local function open(file)
  ask("vim.cmd.edit(...)", file)
  until_found("a client for " .. file, function()
    return clients() == 1 and ask("return vim.lsp.get_clients({ bufnr = 0 })[1].initialized")
  end)
end

--- Puts the cursor at the first match of a pattern.
local function go_to(pattern)
  local line = ask("vim.fn.cursor(1, 1) return vim.fn.search(...)", pattern)
  check("the file has no " .. pattern, line > 0, line)
end

local function current_line()
  return ask("return vim.api.nvim_get_current_line()")
end

--- Errors of the buffer, each `code` with the text that it marks.
local function errors()
  return ask([[
    local errors = vim.diagnostic.get(0, { severity = vim.diagnostic.severity.ERROR })
    return vim.tbl_map(function(one)
      local text = vim.api.nvim_buf_get_text(0, one.lnum, one.col, one.end_lnum, one.end_col, {})
      return one.code .. " " .. text[1]
    end, errors)
  ]])
end

local function check_findings()
  open(VALUE)
  check("the file is a script", ask("return vim.bo.filetype") == "rhai", ask("return vim.bo.filetype"))

  -- A character of two units of UTF-16 is before the word.
  go_to([[return tx\.\zsamount]])
  press('i<C-o>0let sign = "💰"; <Esc>')
  go_to([[return tx\.\zsamount]])
  press("cwamuont<Esc>")
  local found = until_found("a finding for a misspelt field", function()
    return errors()[1] and errors()
  end)
  check("the finding marks the word", vim.deep_equal(found, { "CR002 amuont" }), found)

  press("u")
  until_found("no finding once the word is right", function()
    return not errors()[1]
  end)
  press("u")
end

--- The names that are offered.
local function offered()
  local names = ask([[
    local info = vim.fn.complete_info({ "items", "pum_visible" })
    return info.pum_visible == 1 and vim.tbl_map(function(item) return item.abbr end, info.items) or {}
  ]])
  return names[1] and names
end

--- Types an expression on a line of its own, asks for completions, and takes the first one.
local function complete(typed, more)
  go_to([[return tx\.amount]])
  press("Olet a = " .. typed .. "<C-x><C-o>")
  local names = until_found("completions after " .. typed, offered)
  press(more .. "<C-y><Esc>")
  local line = until_found("a completed line", function()
    return ask("return vim.fn.mode()") == "n" and vim.trim(current_line())
  end)
  press("u")
  return names, line
end

local function check_completions()
  local names, line = complete("tx.", "Pa")
  for _, name in ipairs({ "amount", "Paid On", "Lapsed After" }) do
    check("`tx.` offers " .. name, vim.list_contains(names, name), names)
  end
  check("a column takes the place of the dot", line == 'let a = tx["Paid On"]', line)

  names, line = complete("tx.am", "")
  check("a part of a name offers it", vim.list_contains(names, "amount"), names)
  check("a field follows the dot", line == "let a = tx.amount", line)

  names, line = complete("tx.La", "")
  check("a part of a name offers a column", vim.list_contains(names, "Lapsed After"), names)
  check("a column takes the place of the dot and the part", line == 'let a = tx["Lapsed After"]', line)

  line = select(2, complete('tx["La', ""))
  check("a name in quotes is whole", line == 'let a = tx["Lapsed After', line)
end

local function check_hints()
  go_to([[return tx\.\zsamount]])
  press("K")
  local shown = until_found("a hint", function()
    local text = ask([[
      for _, window in ipairs(vim.api.nvim_list_wins()) do
        if vim.api.nvim_win_get_config(window).relative ~= "" then
          local buffer = vim.api.nvim_win_get_buf(window)
          return table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), "\n")
        end
      end
    ]])
    return text ~= vim.NIL and text
  end)
  local is_right = shown:find("tx.amount: number", 1, true) and shown:find("Column `Premium`", 1, true)
  check("the hint says what the field is", is_right, shown)
end

--- Where `<C-]>` leads: the file inside the directory, and the text from the cursor on.
local function place_after_jump(pattern)
  go_to(pattern)
  local before = ask("return vim.api.nvim_win_get_cursor(0)")
  press("<C-]>")
  return until_found("a definition of " .. pattern, function()
    local cursor, file = ask("return vim.api.nvim_win_get_cursor(0)"), ask("return vim.fn.expand('%:.')")
    local has_moved = not vim.deep_equal(cursor, before)
    return has_moved and file .. ": " .. current_line():sub(cursor[2] + 1)
  end)
end

local function check_definitions()
  open(ROLLUP)
  local place = place_after_jump([[= \zsrate_of(]])
  check("a function is defined in its file", place == ROLLUP .. ": rate_of(person, line) {", place)

  open(VALUE)
  place = place_after_jump([[tx\["\zsNumber]])
  local is_field = vim.startswith(place, 'accredit.toml: id = ["Policy", "Number"]')
  check("a column is defined by its field", is_field, place)
end

local function check_cases()
  open(CASES)
  check("a case file has the command", ask("return vim.fn.exists(':AccreditRunCase')") == 2)

  -- The first case is a table of six rows, and the second one of three.
  go_to("^## ")
  -- Neovim 0.12 draws them on a screen, and here is none.
  local shown = [[
    return vim.fn.has("nvim-0.12") == 1 and vim.lsp.codelens.is_enabled({ bufnr = 0 })
      or vim.inspect(vim.api.nvim_buf_get_extmarks(0, -1, 0, -1, { details = true })):find("Run case") ~= nil
  ]]
  until_found("`Run case` above the case", function()
    return ask(shown)
  end)
  press(":lua vim.lsp.codelens.run()<CR>")
  until_found("the verdict of the lens", function()
    return told():find("Passed: 6 cases", 1, true)
  end)

  local amount = [[| Ben Marsh.*\zs200\.00]]
  go_to(amount)
  press(":AccreditRunCase<CR>")
  until_found("the verdict of the command", function()
    return told():find("Passed: 3 cases", 1, true)
  end)

  press("r9:AccreditRunCase<CR>")
  until_found("the verdict of a case that fails", function()
    return told():find("Failed: As earned each premium counts", 1, true)
  end)
  local found = until_found("a finding where the case fails", function()
    local found = ask("return vim.diagnostic.get(0)")
    return found[1] and found[1]
  end)
  check("the finding is in the row", found.lnum + 1 == ask("return vim.fn.line('.')"), found)
end

--- A Markdown file in no directory of accredit has no client.
local function check_others()
  local outside = vim.fs.dirname(directory) .. "/notes.md"
  ask("vim.cmd('edit! ' .. ...)", outside)
  vim.wait(200)
  check("a file outside a directory has no client", clients() == 0, clients())
end

check_findings()
check_completions()
check_hints()
check_definitions()
check_cases()
check_others()
check("the editor has told no error", not told():find("Error", 1, true), told())

vim.rpcnotify(editor, "nvim_command", "quitall!")
check("the editor ends", vim.fn.jobwait({ editor }, PATIENCE_MS)[1] == 0)
local version = vim.version()
local number = ("%d.%d.%d"):format(version.major, version.minor, version.patch)
print("Neovim " .. number .. ": findings, completions, hints, definitions and cases are right")

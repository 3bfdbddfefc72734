-- The client of `accredit lsp` for Neovim 0.11 and later. Copy this file to `plugin/` in the folder of your
-- settings.
--
-- Not the answers, which are the server's.

-- `true` offers completions while you type, `<C-x><C-o>` either way. Leave it where another plugin does.
local COMPLETES_AS_TYPED = false

local RUN_CASE = "accredit.runCase"

local is_012 = vim.fn.has("nvim-0.12") == 1

vim.filetype.add({ extension = { rhai = "rhai" } })

vim.api.nvim_create_autocmd("FileType", {
  pattern = "rhai",
  callback = function(event)
    vim.bo[event.buf].commentstring = "// %s"
  end,
})

--- `Run case` above each case. Neovim 0.12 keeps it up to date by itself.
local function show_lenses(bufnr)
  if is_012 then
    vim.lsp.codelens.enable(true, { bufnr = bufnr })
  else
    vim.lsp.codelens.refresh({ bufnr = bufnr })
  end
end

--- Says what came of a case; the places of what failed are diagnostics.
local function show_verdicts(verdicts)
  local failed = vim.tbl_filter(function(verdict)
    return not verdict.passed
  end, verdicts)
  if #verdicts == 0 then
    vim.notify("There is no case here.", vim.log.levels.WARN)
  elseif #failed == 0 then
    -- A case with a table has a verdict for each row.
    vim.notify("Passed: " .. (#verdicts == 1 and verdicts[1].name or #verdicts .. " cases"))
  else
    local first = failed[1].failures[1]
    local message = first and ": " .. vim.split(first.message, "\n")[1] or ""
    vim.notify("Failed: " .. failed[1].name .. message, vim.log.levels.ERROR)
  end
end

--- Runs the case at a line, from 1, of a case file.
local function run_case(client, bufnr, uri, line)
  local asked = { command = RUN_CASE, arguments = { uri, line } }
  client:request("workspace/executeCommand", asked, function(failure, verdicts)
    if failure then
      vim.notify(failure.message, vim.log.levels.ERROR)
    else
      show_verdicts(verdicts)
    end
    -- Neovim 0.11 takes the lens away when it runs.
    show_lenses(bufnr)
  end, bufnr)
end

--- A column in brackets replaces the dot before the word. Neovim looks at nothing but the word: the item is
--- found by its name instead, and takes the dot away when it is accepted.
local function as_found_by_name(item, word_start)
  local edit = item.textEdit
  if not edit or not edit.range or edit.range.start.character ~= word_start - 1 then
    return
  end
  local word_begin = { line = edit.range.start.line, character = word_start }
  item.additionalTextEdits = { { range = { start = edit.range.start, ["end"] = word_begin }, newText = "" } }
  item.label = item.label:match('^%["(.*)"%]$') or item.label
  item.filterText = item.label
  item.insertTextFormat = vim.lsp.protocol.InsertTextFormat.Snippet
  edit.newText = edit.newText:gsub("[\\$}]", "\\%0")
  edit.range.start = word_begin
end

--- The unit of UTF-16 at which the word before a position begins.
local function word_start_at(bufnr, position)
  local text = vim.api.nvim_buf_get_lines(bufnr, position.line, position.line + 1, false)[1] or ""
  local before = text:sub(1, vim.str_byteindex(text, "utf-16", position.character, false))
  return vim.str_utfindex(before, "utf-16", vim.fn.match(before, "\\k*$"), false)
end

--- Hands every list of items through `as_found_by_name`.
local function change_items(client)
  local request = client.request
  client.request = function(self, method, params, handler, bufnr)
    if method ~= "textDocument/completion" or not handler then
      return request(self, method, params, handler, bufnr)
    end
    return request(self, method, params, function(failure, result, ...)
      local word_start = word_start_at(bufnr or 0, params.position)
      for _, item in ipairs(result and result.items or {}) do
        as_found_by_name(item, word_start)
      end
      return handler(failure, result, ...)
    end, bufnr)
  end
end

--- The text of an item to the end of its line: Neovim 0.11 ends it at the first blank.
local function whole_text(item)
  local is_snippet = item.insertTextFormat == vim.lsp.protocol.InsertTextFormat.Snippet
  return { word = not is_snippet and item.textEdit and item.textEdit.newText or nil }
end

local function attach(client, bufnr)
  local options = { autotrigger = COMPLETES_AS_TYPED, convert = whole_text }
  vim.lsp.completion.enable(true, client.id, bufnr, options)
  -- More letters choose among the items before one is inserted; unless your settings say otherwise.
  if not vim.api.nvim_get_option_info2("completeopt", {}).was_set then
    vim.bo[bufnr].completeopt = "menuone,noinsert,popup"
  end

  if not vim.api.nvim_buf_get_name(bufnr):match("%.cases%.md$") then
    return
  end

  vim.api.nvim_buf_create_user_command(bufnr, "AccreditRunCase", function()
    run_case(client, bufnr, vim.uri_from_bufnr(bufnr), vim.api.nvim_win_get_cursor(0)[1])
  end, { desc = "Run the case under the cursor" })
  show_lenses(bufnr)
  if not is_012 then
    vim.api.nvim_create_autocmd({ "BufEnter", "InsertLeave", "TextChanged" }, {
      buffer = bufnr,
      callback = function()
        show_lenses(bufnr)
      end,
    })
  end
end

vim.lsp.config("accredit", {
  cmd = { "accredit", "lsp" },
  filetypes = { "rhai", "toml", "markdown", "csv" },
  root_markers = { "accredit.toml" },
  workspace_required = true,
  commands = {
    [RUN_CASE] = function(command, context)
      local client = assert(vim.lsp.get_client_by_id(context.client_id))
      run_case(client, context.bufnr, command.arguments[1], command.arguments[2])
    end,
  },
  on_init = change_items,
  on_attach = attach,
})
vim.lsp.enable("accredit")
